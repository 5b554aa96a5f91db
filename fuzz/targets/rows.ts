import { gzipSync } from 'node:zlib'
import {
  type ByteRanges,
  column,
  defineTable,
  PipeError,
  parseUnreadableRows,
  readCsv,
  readNdjson,
  readParquet,
  readRows,
  readTsv,
  writeParquet,
} from '@pipe/core'
import { gunzipBytes } from '@pipe/core/internal'
import { type FuzzTarget, mustHold, refusedBy, type Verdict } from '../target'

const table = defineTable('logs', {
  columns: {
    at: column.timestamp(),
    device: column.string(),
    count: column.bigint().nullable(),
    value: column.double().nullable(),
    price: column.decimal(12, 2).nullable(),
    tags: column.array(column.string()).nullable(),
    place: column.struct({ lat: column.double(), lon: column.double() }).nullable(),
  },
})
const flat = defineTable('flat', {
  columns: {
    at: column.timestamp(),
    device: column.string(),
    count: column.bigint().nullable(),
    value: column.double().nullable(),
  },
})
/** Bytes after decompression, at most: a bomb of 64 KiB could be 64 MB. */
const maxBytes = 256 * 1024
const maxLineBytes = 64 * 1024

async function* once(input: Buffer): AsyncGenerator<Uint8Array> {
  // In two pieces: a reader must not rely on where they are cut.
  const middle = input.length >> 1
  yield input.subarray(0, middle)
  yield input.subarray(middle)
}

function inMemory(input: Buffer): ByteRanges {
  return { byteLength: input.length, read: async (start, end) => input.subarray(start, end), close: async () => {} }
}

/** Reads all batches; a file with unreadable lines counts as refused. A reader never throws because of what it reads. */
async function readAll(
  batches: AsyncIterable<{ readonly rows: readonly unknown[]; readonly unreadable: readonly unknown[] }>,
): Promise<Verdict> {
  let unreadable = 0
  for await (const batch of batches) {
    unreadable += batch.unreadable.length
    for (const entry of batch.unreadable) {
      const { reason, rows, raw } = entry as { reason: string; rows: number; raw?: string }
      mustHold(reason !== '' && rows >= 0, `an entry without reason or count: ${JSON.stringify(entry)}`)
      mustHold((raw?.length ?? 0) <= 64 * 1024, 'the raw text is not bounded')
    }
  }
  return unreadable === 0 ? 'taken' : 'refused'
}

const ndjson = Buffer.from(
  [
    '{"at":"2026-11-24 15:30:00.123","device":"d-1","count":7,"value":1.5,"price":"12.30","tags":["a","b"],"place":{"lat":1.0,"lon":2}}',
    '{"at":"2026-11-24T15:30:01Z","device":"\\u00e4\\"\\\\","count":-9223372036854775808,"value":-1e-7,"price":null,"tags":[],"place":null}',
    '{"device":"","at":"2026-11-24 15:30:02","count":null,"value":0}',
  ].join('\n'),
)
const csv = Buffer.from(
  '2026-11-24 15:30:00.123,d-1,7,1.5\r\n2026-11-24 15:30:01,"a ""quoted"", one\nwith a line end",,\n2026-11-24 15:30:02,"",-1,1e300\n',
)
const tsv = Buffer.from('2026-11-24 15:30:00.123\td-1\t7\t1.5\n2026-11-24 15:30:01\ta\\tb\\n\\\\\t\\N\t\\N\n')
const rows = [
  {
    at: new Date('2026-11-24T15:30:00.123Z'),
    device: 'd-1',
    count: 7n,
    value: 1.5,
    price: '12.30',
    tags: ['a'],
    place: { lat: 1, lon: 2 },
  },
  { at: new Date('2026-11-24T15:30:01Z'), device: 'ä', count: null, value: null, price: null, tags: null, place: null },
]

async function parquetFile(): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of writeParquet<typeof table>(rows, { table })) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const jsonWords = [
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  '\\u',
  '\\ud800',
  ',',
  ':',
  'null',
  'true',
  'NaN',
  '-',
  '1e',
  '1e999',
  '\0',
  '\ufeff',
  '\n',
  '__proto__',
]
const file = 's3://lake/raw/file'
const limits = { file, maxBytes, maxLineBytes }
const isPipeError = (error: unknown) => PipeError.isInstance(error)

export const rowTargets: readonly FuzzTarget[] = [
  {
    name: 'ndjson',
    perMillion: 130_000,
    corpus: () => [ndjson],
    words: jsonWords,
    read: (input) => readAll(readNdjson(once(input), { table, ...limits })),
  },
  {
    name: 'csv',
    perMillion: 120_000,
    corpus: () => [csv],
    words: ['"', '""', ',', '\r\n', '\n', '\r', '\0', '\ufeff', '\\N', '2026-13-01'],
    read: (input) => readAll(readCsv(once(input), { table: flat, ...limits })),
  },
  {
    name: 'tsv',
    perMillion: 80_000,
    corpus: () => [tsv],
    words: ['\t', '\\', '\\N', '\n', '\\t', '\0'],
    read: (input) => readAll(readTsv(once(input), { table: flat, ...limits })),
  },
  {
    name: 'gzip',
    perMillion: 60_000,
    corpus: () => [gzipSync(ndjson), Buffer.concat([gzipSync(csv), gzipSync(ndjson)]), gzipSync(Buffer.alloc(4 * maxBytes))],
    read: async (input) => {
      const decoded = gunzipBytes(once(input), { maxBytes })
      let bytes = 0
      for await (const chunk of decoded.chunks) bytes += chunk.length
      mustHold(bytes <= maxBytes, `${bytes} bytes came out, ${maxBytes} were allowed`)
      return decoded.fault() === undefined ? 'taken' : 'refused'
    },
  },
  {
    name: 'any-format',
    perMillion: 40_000,
    corpus: async () => [ndjson, csv, tsv, gzipSync(ndjson), gzipSync(csv), await parquetFile()],
    words: jsonWords,
    // What it cannot even tell the format of is an error, as the caller may have named the wrong file.
    read: async (input) => {
      try {
        return await readAll(readRows({ table, source: once(input), ...limits }))
      } catch (error) {
        if (isPipeError(error)) return 'refused'
        throw error
      }
    },
  },
  {
    name: 'parquet',
    perMillion: 20_000,
    corpus: async () => [await parquetFile()],
    read: (input) => readAll(readParquet(inMemory(input), { table, file })),
  },
  {
    name: 'quarantine',
    perMillion: 60_000,
    corpus: () => [
      Buffer.from(
        '{"file":"s3://lake/a","line":3,"offset":120,"reason":"no JSON","raw":"x","rows":1}\n{"file":"s3://lake/b","reason":"cut","rows":2}\n',
      ),
    ],
    words: jsonWords,
    read: (input) => refusedBy(isPipeError)(() => parseUnreadableRows(input.toString('utf8'))),
  },
]
