import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, type Table, type UnreadableRow } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { createCleanFile } from './clean-file'
import { lineScanners, type ScanSink } from './line-scanner'
import { openWriter } from './open-writer'
import type { DuckDbLimits, WriterName } from './parquet-writer'
import { type FileAccount, type LoadedFile, type RawFormat, scanFile } from './scan-file'

/** Threads and memory of DuckDB unless told otherwise. */
export const defaultLimits: DuckDbLimits = { threads: 1, memoryLimitMb: 512 }

/** Files up to this size are held in memory while they are read; larger ones are streamed from disk. */
export const inMemoryBytes: number = 16 * 1024 * 1024

/** What {@link convertFiles} takes. */
export interface ConvertOptions {
  /** The contract that the rows are read by. */
  readonly table: Table
  /** Paths of NDJSON files, plain or gzip. Rows stand in this order, then in that of the lines. */
  readonly files: readonly string[]
  /** Path of the Parquet file to make. Not made when no row is readable. */
  readonly output: string
  /** Called for each row that cannot be read. Without it such a row is only counted. */
  readonly onUnreadable?: ((row: UnreadableRow) => void) | undefined
  /** Threads of DuckDB. Default 1. */
  readonly threads?: number | undefined
  /** Memory of DuckDB in MiB. Default 512. */
  readonly memoryLimitMb?: number | undefined
  /** What writes the file. Default: DuckDB when it is installed, else hyparquet. */
  readonly writer?: WriterName | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
}

/** What {@link convertFiles} did. */
export interface ConvertResult {
  /** Rows in the Parquet file. */
  readonly rows: number
  readonly unreadableRows: number
}

/**
 * Converts NDJSON files at hand to one Snappy Parquet file: what the in-process engine does between fetching and uploading. Nothing is
 * guessed: a line becomes the row that core's `readNdjson` reads, or is handed out as unreadable.
 *
 * @throws {@link ConfigError} `PIPE_COMPACT_DUCKDB` without DuckDB, `PIPE_COMPACT_COLUMN` for a column it cannot write.
 */
export async function convertFiles(options: ConvertOptions): Promise<ConvertResult> {
  checkOptions('convertFiles', options, {
    required: ['table', 'files', 'output'],
    optional: ['onUnreadable', 'threads', 'memoryLimitMb', 'writer', 'signal'],
  })
  const limits = checkLimits('convertFiles', options)
  const { accounts } = await convert(
    options.table,
    { format: 'ndjson', header: false, dedupeBy: [] },
    loadFiles(options.files),
    { output: options.output, tempDir: tmpdir() },
    { limits, name: options.writer },
    options.onUnreadable ?? (() => {}),
    options.signal,
  )
  const sum = (pick: (account: FileAccount) => number) => accounts.reduce((total, account) => total + pick(account), 0)
  const unreadableRows = sum((account) => account.quarantinedRows)
  return { rows: sum((account) => account.rows) - unreadableRows, unreadableRows }
}

/** What came of a conversion. */
export interface Converted {
  /** One a file, in their order. */
  readonly accounts: readonly FileAccount[]
  /** Whether there is a file: not when no row is readable. */
  readonly exists: boolean
  readonly duplicateRows: number
}

/**
 * Converts loaded files to one Parquet file.
 *
 * @param raw how the files are written, and by which columns rows are de-duplicated.
 */
export async function convert(
  table: Table,
  raw: RawFormat & { readonly dedupeBy: readonly string[] },
  files: AsyncIterable<LoadedFile> | Iterable<LoadedFile>,
  places: { readonly output: string; readonly tempDir: string },
  write: { readonly limits: DuckDbLimits; readonly name: WriterName | undefined },
  onUnreadable: (row: UnreadableRow) => void,
  signal: AbortSignal | undefined,
): Promise<Converted> {
  const { tempDir } = places
  const writer = await openWriter(write.name, { table, dedupeBy: raw.dedupeBy, limits: write.limits, tempDir, signal })
  const lines = join(tempDir, `pipe-lines-${randomUUID()}.ndjson`)
  const clean = createCleanFile(lines)
  try {
    const sink: ScanSink = {
      takeBytes(bytes, longestLine) {
        clean.write(bytes, longestLine)
        // The last line of a file may lack its line end; the next file must not continue it.
        if (bytes.at(-1) !== 10) clean.write(lineEnd, 0)
      },
      takeRow(row) {
        const line = Buffer.from(writer.lineOf(row))
        clean.write(line, line.length)
      },
      takeUnreadable: onUnreadable,
    }
    const scannerOf = lineScanners(table)
    const accounts: FileAccount[] = []
    for await (const file of files) {
      signal?.throwIfAborted()
      accounts.push(await scanFile(file, table, raw, scannerOf, sink, signal))
    }
    clean.close()
    if (clean.bytes === 0) return { accounts, exists: false, duplicateRows: 0 }
    const { duplicateRows } = await writer.write({ path: lines, longestLine: clean.longestLine }, places.output)
    return { accounts, exists: true, duplicateRows }
  } finally {
    clean.close()
    rmSync(lines, { force: true })
    await writer.close()
  }
}

const lineEnd = Buffer.from('\n')

/** The given limits over the defaults. @throws {@link ConfigError} for numbers that make no sense. */
export function checkLimits(
  where: string,
  given: { readonly threads?: number | undefined; readonly memoryLimitMb?: number | undefined },
): DuckDbLimits {
  const { threads = defaultLimits.threads, memoryLimitMb = defaultLimits.memoryLimitMb } = given
  if (!Number.isInteger(threads) || threads < 1 || threads > 64) {
    throw new ConfigError(`${where}: threads must be a whole number from 1 to 64, not ${threads}.`)
  }
  if (!Number.isInteger(memoryLimitMb) || memoryLimitMb < 64) {
    throw new ConfigError(`${where}: memoryLimitMb must be a whole number, at least 64, not ${memoryLimitMb}.`)
  }
  return { threads, memoryLimitMb }
}

function* loadFiles(paths: readonly string[]): Generator<LoadedFile> {
  for (const path of paths) {
    yield { name: path, content: statSync(path).size <= inMemoryBytes ? readFileSync(path) : { path } }
  }
}
