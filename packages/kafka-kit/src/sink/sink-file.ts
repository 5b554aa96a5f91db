import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { PipeError, type Table, writeParquet } from '@pipe/core'
import { rowEncoder, rowReader, stampMetadata } from '@pipe/core/internal'
import type { BatchRecord } from '@pipe/kafka-wire'
import { type AnyTopic, decodeRecord } from '../consumer/consumed-record'
import type { SinkFormat } from './sink-format'

/** A file while records are added to it. Rows are held as NDJSON text, whatever the format. */
export interface SinkFile {
  /** Where its range begins: not always an offset of a record. */
  readonly first: bigint
  /** Offset of the last record in it. */
  readonly last: bigint
  readonly window: Date
  readonly records: number
  readonly rows: number
  readonly quarantined: number
  /** Of the rows as NDJSON. */
  readonly bytes: number
  /** What it takes in memory, with the quarantined records. */
  readonly heldBytes: number
  /** When its first record was added, by this machine's clock. */
  readonly openedAtMs: number
  add(record: BatchRecord): void | Promise<void>
  /** The body of the object and its stamp; `undefined` without rows. */
  encode(format: SinkFormat, signal: AbortSignal): Promise<EncodedSinkFile | undefined>
  /** NDJSON of the records that are no rows; `undefined` when there are none. */
  encodeQuarantine(): Buffer | undefined
}

/** An object as it is written. */
export interface EncodedSinkFile {
  readonly body: Uint8Array
  readonly metadata: Record<string, string>
  readonly contentType: string
  readonly contentEncoding?: string
}

/** Makes the row of a record; may throw, or return what is no row. */
export type RowOfRecord = (record: unknown) => unknown

/** Opens files of one partition. */
export type OpenSinkFile = (first: bigint, window: Date) => SinkFile

const blockCharacters = 64 * 1024
const compress = promisify(gzip)

/**
 * Compiles the files of one partition.
 *
 * A record whose bytes do not fit the topic, or that makes no row of the table, is kept with its bytes and its place for the quarantine object.
 */
export function sinkFiles(topic: AnyTopic, partition: number, table: Table, toRow: RowOfRecord): OpenSinkFile {
  const encode = rowEncoder(table) as (row: unknown) => string
  const read = rowReader(table)

  function lineOf(decoded: unknown): string {
    const row = toRow(decoded)
    if (typeof row !== 'object' || row === null) {
      throw new PipeError('PIPE_FORMAT_VALUE', `The row is ${row === null ? 'null' : `a ${typeof row}`}, not an object.`)
    }
    for (const name of Object.keys(row)) {
      if (!Object.hasOwn(table.columns, name)) {
        throw new PipeError('PIPE_FORMAT_VALUE', `${JSON.stringify(name)} is not a column of ${table.name}.`)
      }
    }
    return encode(row)
  }

  return (first, window) => {
    const blocks: Buffer[] = []
    const misfits: Buffer[] = []
    let block = ''
    let last = first
    let rows = 0
    let bytes = 0
    let misfitBytes = 0
    let openedAtMs = 0

    function take(record: BatchRecord, decoded: unknown): void {
      let line: string
      try {
        line = lineOf(decoded)
      } catch (error) {
        refuse(record, error)
        return
      }
      block += line
      bytes += Buffer.byteLength(line)
      rows++
      if (block.length >= blockCharacters) seal()
    }

    function refuse(record: BatchRecord, error: unknown): void {
      const entry = Buffer.from(`${JSON.stringify(misfitOf(topic.name, partition, record, error))}\n`)
      misfits.push(entry)
      misfitBytes += entry.length
    }

    function seal(): void {
      if (block === '') return
      blocks.push(Buffer.from(block))
      block = ''
    }

    function* rowsAgain(): Generator<Record<string, unknown>> {
      let rest = ''
      for (const text of blocks) {
        const lines = (rest + text.toString()).split('\n')
        rest = lines.pop()!
        for (const line of lines) {
          const row = read(line)
          if (typeof row === 'string')
            throw new PipeError('PIPE_FORMAT_VALUE', `A row of ${table.name} cannot be read back: ${row}.`)
          yield row
        }
      }
    }

    return {
      first,
      window,
      get last() {
        return last
      },
      get records() {
        return rows + misfits.length
      },
      get rows() {
        return rows
      },
      get quarantined() {
        return misfits.length
      },
      get bytes() {
        return bytes
      },
      get heldBytes() {
        return bytes + misfitBytes
      },
      get openedAtMs() {
        return openedAtMs
      },
      add(record) {
        if (rows + misfits.length === 0) openedAtMs = Date.now()
        last = record.offset
        let decoded: unknown
        try {
          decoded = decodeRecord(topic, partition, record)
        } catch (error) {
          return refuse(record, error)
        }
        if (!(decoded instanceof Promise)) return take(record, decoded)
        return decoded.then(
          (output) => take(record, output),
          (error) => refuse(record, error),
        )
      },
      async encode(format, signal) {
        if (rows === 0) return undefined
        seal()
        if (format === 'parquet') {
          const body = await collect(writeParquet(rowsAgain() as never, { table, signal }))
          return { body, metadata: stampOf(rows, [body]), contentType: 'application/vnd.apache.parquet' }
        }
        const plain = Buffer.concat(blocks)
        const metadata = stampOf(rows, blocks)
        const contentType = 'application/x-ndjson'
        // No Content-Encoding: clients would unpack on their way, and the ending of the key says what it is.
        return { body: format === 'ndjson' ? plain : await compress(plain), metadata, contentType }
      },
      encodeQuarantine: () => (misfits.length === 0 ? undefined : Buffer.concat(misfits)),
    }
  }
}

function stampOf(rows: number, parts: readonly Uint8Array[]): Record<string, string> {
  const hash = createHash('sha256')
  let rawBytes = 0
  for (const part of parts) {
    hash.update(part)
    rawBytes += part.byteLength
  }
  return stampMetadata({ rows, rawBytes, sha256: hash.digest('hex') })
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

const base64 = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('base64'))

/** A record that is no row, as a line of the quarantine object: its place, the reason, and its bytes in base64. */
export interface QuarantinedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly timestamp: number
  readonly reason: string
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly { readonly key: string; readonly value: string | null }[]
}

function misfitOf(topic: string, partition: number, record: BatchRecord, error: unknown): QuarantinedRecord {
  return {
    topic,
    partition,
    offset: record.offset.toString(),
    timestamp: record.timestampMs,
    reason: error instanceof Error ? error.message : String(error),
    key: base64(record.key),
    value: base64(record.value),
    headers: record.headers.map(({ key, value }) => ({ key, value: base64(value) })),
  }
}
