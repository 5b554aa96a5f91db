import { Readable } from 'node:stream'
import { column, defineTable, readCsv, readNdjson, readTsv } from '@pipe/core'
import {
  defineLog,
  encodeLog,
  groundTruth,
  type LogFormat,
  type MalformedKind,
  malformedKinds,
  measure,
  sequence,
  text,
} from '@pipe/log-gen'
import { describe, expect, it } from 'vitest'

const table = defineTable('readings', {
  columns: {
    at: column.timestamp(),
    device_name: column.string(),
    note: column.string(),
    level: column.double(),
    seq: column.bigint(),
    site: column.string().nullable(),
  },
  eventTime: 'at',
})

const readers = { ndjson: readNdjson, csv: readCsv, tsv: readTsv }
type TextFormat = keyof typeof readers

function logOf(format: LogFormat, rate: number, kinds: readonly MalformedKind[]) {
  return defineLog({
    table,
    seed: 11,
    devices: ['plain', 'quo"te\\, \u2028\t ✓'],
    every: '2 seconds',
    format,
    fields: {
      note: text({ words: [1, 4], from: ['ok', 'a,b', 'say "x"', 'tab\there', 'back\\slash'] }),
      level: measure({ base: [-5, 5], noise: 2 }),
      seq: sequence(),
      site: text({ words: [1, 1], from: ['north', ''] }),
    },
    faults: { malformed: { rate, kinds } },
  })
}

const range = { from: '2026-11-24T15:00:00Z', to: '2026-11-24T15:03:00Z' }

/** Kinds that a format refuses are told by its own error. */
function possibleIn(format: LogFormat): MalformedKind[] {
  return malformedKinds.filter((kind) => {
    try {
      logOf(format, 0.1, [kind])
      return true
    } catch {
      return false
    }
  })
}

describe.each<TextFormat>(['ndjson', 'csv', 'tsv'])('malformed lines of %s', (format) => {
  const possible = possibleIn(format)

  it('can be of most kinds', () => {
    expect(possible.length).toBeGreaterThanOrEqual(10)
  })

  it.each(possible)(
    'of kind %s are refused by the reader of the table, at the lines that the ground truth names',
    async (kind) => {
      const log = logOf(format, kind === 'huge-line' ? 0.03 : 0.4, [kind])
      const truth = groundTruth(log, range)
      expect(truth.malformedRows).toBeGreaterThan(0)
      const lines: number[] = []
      let rows = 0
      const source = Readable.from([Buffer.concat([...encodeLog(log, range)])])
      for await (const batch of readers[format](source, { table, file: `x.${format}` })) {
        rows += batch.rows.length
        for (const { line, rows: count } of batch.unreadable) for (let i = 0; i < count; i++) lines.push((line as number) + i)
      }
      let before = 0
      const expected = truth.files.flatMap(({ faults, rows: own }) => {
        const numbers = faults
          .filter((fault) => fault.kind === 'malformed')
          .flatMap(({ line, rows: count = 1 }) => Array.from({ length: count }, (_, i) => before + line + i))
        before += own
        return numbers
      })
      expect(lines).toEqual(expected)
      expect(rows).toBe(truth.readableRows)
      expect(truth.generatedRows).toBe(truth.readableRows + truth.malformedRows)
      expect(truth.quarantinedRows).toBe(expected.length)
    },
  )
})

describe('malformed lines', () => {
  it('are refused for Parquet and for kinds that a format cannot have', () => {
    expect(() => logOf('parquet', 0.1, ['truncated'])).toThrow('"malformed" of the kind "truncated" is not possible')
    expect(() => logOf('ndjson', 0.1, ['repeated-header'])).toThrow('is not possible with this table and format')
    expect(() => logOf('csv', 0.1, ['bare-nan'])).toThrow('is not possible with this table and format')
  })
})
