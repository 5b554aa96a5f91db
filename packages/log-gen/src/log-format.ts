/** Forms a log can be written in. The records do not depend on it. */
export type LogFormat = 'ndjson' | 'csv' | 'tsv' | 'parquet'

/** How files are compressed. In Parquet: how its pages are. */
export type LogCompression = 'gzip' | 'zstd' | 'none'
