import { column, defineTable } from '@pipe/core'
import {
  choice,
  counter,
  decimalMeasure,
  defineLog,
  emitTime,
  generate,
  hexId,
  ip,
  type Log,
  type LogSource,
  measure,
  nested,
  own,
  replayCsv,
  sequence,
  sometimesNull,
  tag,
  text,
} from '@pipe/log-gen'
import { expectTypeOf } from 'vitest'

const table = defineTable('readings', {
  columns: {
    at: column.timestamp(),
    device_name: column.string(),
    metric: column.double(),
    level: column.integer().nullable(),
    total: column.bigint(),
    price: column.decimal(9, 2),
    site: column.string(),
    ok: column.boolean(),
  },
  eventTime: 'at',
})
const common = { table, seed: 1, devices: 1, every: '1 second' } as const
const fields = {
  metric: measure({ base: 1 }),
  level: sometimesNull(0.1, measure({ base: 1, scale: 0 })),
  total: sequence(),
  price: decimalMeasure({ base: 1 }),
  site: tag(['north', 'south']),
  ok: choice([true, false]),
}

const log = defineLog({ ...common, fields })
expectTypeOf(log).toEqualTypeOf<Log<typeof table.columns>>()
expectTypeOf(log).toExtend<LogSource>()
const [row] = [...generate(log, { from: '2026-11-24T00:00:00Z', to: '2026-11-24T00:01:00Z' })]
expectTypeOf(row).toEqualTypeOf<
  | {
      at: Date
      device_name: string
      metric: number
      level: number | null
      total: bigint
      price: string
      site: string
      ok: boolean
    }
  | undefined
>()

// Each column wants its field, and only columns have one.
const { metric: _metric, ...incomplete } = fields
// @ts-expect-error: "metric" is missing
defineLog({ ...common, fields: incomplete })
// @ts-expect-error: there is no column "metrik"
defineLog({ ...common, fields: { ...fields, metrik: measure({ base: 1 }) } })
// @ts-expect-error: the device name is not a field
defineLog({ ...common, fields: { ...fields, device_name: tag(['a']) } })

// The kind of a field must fit its column.
// @ts-expect-error: a measure is no text
defineLog({ ...common, fields: { ...fields, site: measure({ base: 1 }) } })
// @ts-expect-error: text is no number
defineLog({ ...common, fields: { ...fields, metric: hexId() } })
// @ts-expect-error: a decimal is text in TypeScript
defineLog({ ...common, fields: { ...fields, price: measure({ base: 1 }) } })
// @ts-expect-error: "metric" is not nullable
defineLog({ ...common, fields: { ...fields, metric: sometimesNull(0.1, measure({ base: 1 })) } })
// @ts-expect-error: an instant is no boolean
defineLog({ ...common, fields: { ...fields, ok: emitTime() } })
// @ts-expect-error: only strings name devices
defineLog({ ...common, deviceColumn: 'metric', fields })

const other = defineTable('other', {
  columns: { at: column.timestamp(), sensor: column.string(), v: column.double() },
  eventTime: 'at',
})
defineLog({ table: other, seed: 1, devices: 1, every: '1 second', deviceColumn: 'sensor', fields: { v: measure({ base: 1 }) } })
// @ts-expect-error: without deviceColumn, "sensor" needs a field
defineLog({ table: other, seed: 1, devices: 1, every: '1 second', fields: { v: measure({ base: 1 }) } })

expectTypeOf(replayCsv({ table: other, dir: 'x', timeColumn: 't', columns: { v: 'value' }, deviceColumn: 'sensor' })).toExtend<
  LogSource<typeof other.columns>
>()
// @ts-expect-error: there is no column "w"
replayCsv({ table: other, dir: 'x', timeColumn: 't', columns: { w: 'value' } })

const deep = defineTable('deep', {
  columns: {
    at: column.timestamp(),
    device_name: column.string(),
    place: column.struct({ floor: column.integer(), host: column.string(), level: column.double().nullable() }),
    note: column.string(),
    battery: column.integer(),
    bytes: column.bigint(),
  },
  eventTime: 'at',
})
const place = nested({ floor: measure({ base: 1 }), host: ip('10.0.0.0/8'), level: sometimesNull(0.1, measure({ base: 1 })) })
const deepFields = { place, note: text(), battery: own('b', () => 1), bytes: counter() }
defineLog({ table: deep, seed: 1, devices: 1, every: '1 second', fields: deepFields })
// @ts-expect-error: the struct wants text for "host"
const wrongPlace: typeof deepFields.place = nested({ floor: measure({ base: 1 }), host: tag([1]), level: tag([1]) })
// @ts-expect-error: "host" is missing
defineLog({ table: deep, seed: 1, devices: 1, every: '1 second', fields: { ...deepFields, place: nested({ floor: tag([1]) }) } })
// @ts-expect-error: text is no integer
defineLog({ table: deep, seed: 1, devices: 1, every: '1 second', fields: { ...deepFields, battery: own('b', () => 'full') } })
// @ts-expect-error: there is no such format
defineLog({ table: deep, seed: 1, devices: 1, every: '1 second', fields: deepFields, format: 'xml' })
void wrongPlace
