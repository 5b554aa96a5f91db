import { ConfigError, PipeError } from '@pipe/core'
import { duckDbWriter, loadDuckDb } from './duckdb'
import { hyparquetWriter } from './hyparquet'
import type { ParquetWriter, WriterName, WriterOptions } from './parquet-writer'

/**
 * The writer asked for; without a wish DuckDB when it is installed, else hyparquet.
 *
 * @throws {@link ConfigError} `PIPE_COMPACT_DUCKDB` when DuckDB is asked for, or needed, and not installed.
 */
export async function openWriter(name: WriterName | undefined, options: WriterOptions): Promise<ParquetWriter> {
  if (name !== 'hyparquet') {
    try {
      return duckDbWriter(await loadDuckDb(), options)
    } catch (error) {
      const isMissing = PipeError.isInstance(error) && error.code === 'PIPE_COMPACT_DUCKDB'
      if (!isMissing || name === 'duckdb' || options.dedupeBy.length > 0) throw error
    }
  }
  if (options.dedupeBy.length > 0) {
    throw new ConfigError('hyparquet cannot de-duplicate rows: it would have to hold all of them in memory.', {
      code: 'PIPE_COMPACT_DUCKDB',
      hint: 'Install @duckdb/node-api, use athenaEngine, or leave "dedupe" out.',
    })
  }
  return hyparquetWriter(options)
}
