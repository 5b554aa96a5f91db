/** Formats that {@link createKafkaToS3} writes. */
export type SinkFormat = 'ndjson.gz' | 'ndjson' | 'parquet'

/** All of them. The name is the ending of the key. */
export const sinkFormats: readonly SinkFormat[] = ['ndjson.gz', 'ndjson', 'parquet']
