import { createHash } from 'node:crypto'
import { column, defineTable } from '@pipe/core'
import {
  choice,
  counter,
  defineLog,
  emitTime,
  encodeLog,
  hexId,
  ip,
  type LogFormat,
  measure,
  own,
  sequence,
  sometimesNull,
  tag,
  text,
} from '@pipe/log-gen'

const table = defineTable('golden', {
  columns: {
    at: column.timestamp(),
    device_name: column.string(),
    site: column.string(),
    level: column.double().nullable(),
    seq: column.bigint(),
    total: column.bigint(),
    trace: column.string(),
    address: column.string(),
    message: column.string(),
    status: column.integer(),
    sent: column.timestamp(),
    battery: column.integer(),
  },
  eventTime: 'at',
  allowedLateness: '5 minutes',
})

/** A log that uses everything that decides bytes before compression. */
function goldenLog(seed: number, format: LogFormat) {
  return defineLog({
    table,
    seed,
    devices: ['a', 'b "q", \t', 'c-✓', 'd', 'e'],
    every: '500 ms',
    load: 'zipf',
    format,
    compression: 'none',
    fields: {
      site: tag(['north', 'süd']),
      level: sometimesNull(
        0.1,
        measure({
          base: [-20, 20],
          season: { amplitude: 7 },
          drift: { amplitude: 3 },
          noise: 1,
          spike: { rate: 0.5, by: 400 },
          shift: { rate: 0.5, by: -50 },
          stuck: { rate: 0.3 },
        }),
      ),
      seq: sequence(),
      total: counter({ step: 250 }),
      trace: hexId(24),
      address: ip('10.0.0.0/8'),
      message: text(),
      status: choice([200, 404, 500], [90, 9, 1]),
      sent: emitTime(),
      battery: own('battery-1', ({ tick, draw }) => 100 - (tick % 90) - draw(3)),
    },
    anomalies: {
      dropOut: { rate: 0.3 },
      hot: { rate: 0.3, times: 5 },
      reboot: { every: '20 minutes' },
      clockSkew: { share: 0.4, upTo: '20 seconds', drift: '30 minutes' },
    },
    faults: {
      late: 0.02,
      veryLate: { rate: 0.01, upTo: '10 minutes' },
      outOfOrder: 0.02,
      duplicate: { rate: 0.02, kinds: ['in-file', 'later-file', 'changed'] },
      gap: 0.01,
      clock: 0.01,
      ...(format !== 'parquet' && { malformed: 0.02 }),
      file: 0.05,
    },
  })
}

/** SHA-256 of the bytes before compression, by seed and format. Equal on every Node and processor. */
export function goldenDigests(): Record<string, string> {
  const digests: Record<string, string> = {}
  const range = { from: '2026-11-24T15:00:00Z', to: '2026-11-24T15:15:00Z', shards: 2 }
  for (const seed of [1, -42]) {
    for (const format of ['ndjson', 'csv', 'tsv', 'parquet'] as const) {
      const hash = createHash('sha256')
      for (const bytes of encodeLog(goldenLog(seed, format), range)) hash.update(bytes)
      digests[`algorithm 1, seed ${seed}, ${format}`] = hash.digest('hex')
    }
  }
  return digests
}
