import type { Athena } from '@pipe/athena-query'
import { column, type Duration, defineTable } from '@pipe/core'
import { type Compaction, type CompactionOptions, defineCompaction } from '../define'
import { athenaEngine } from '../engine/athena'
import type { Engine } from '../engine/engine'
import { inProcessEngine } from '../engine/in-process'
import { type KeyOf, rawKeys } from './sources'

/** A configuration that schedules run under. */
export interface Scenario {
  readonly name: string
  readonly compaction: Compaction
  /** Makes a worker's engine. */
  engine(athena: Athena, tempDir: string): Engine
  readonly lease?: Duration | undefined
  /** Whether workers roll the hour up as well. */
  readonly rollsUp: boolean
  readonly keyOf: KeyOf
}

const table = defineTable('device_logs', {
  columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double() },
  eventTime: 'timestamp',
})

/** Engines over services in memory. Parquet is written in JavaScript: the protocol is what is looked at, and it is done often. */
const engines: Readonly<Record<string, Scenario['engine']>> = {
  'in-process': (_, tempDir) => inProcessEngine({ writer: 'hyparquet', tempDir }),
  'athena, path filter': (athena) => athenaEngine({ athena }),
  'athena, symlink': (athena) => athenaEngine({ athena, inputList: 'symlink' }),
}

const variants: readonly (Pick<Scenario, 'name' | 'rollsUp' | 'lease'> & { readonly options: Partial<CompactionOptions> })[] = [
  { name: 'partitions', rollsUp: false, options: {} },
  { name: 'lists of files, rolled up', rollsUp: true, options: { publish: 'manifest' } },
  {
    name: 'lists of files, recompacted',
    rollsUp: false,
    options: { publish: 'manifest', onLate: 'recompact', onOverwrite: 'recompact' },
  },
  {
    name: 'leases, late rows put aside',
    rollsUp: false,
    lease: '15 minutes',
    options: { onLate: 'quarantine', onOverwrite: 'append' },
  },
]

let builtIn: readonly Scenario[] | undefined

/** The scenarios that come with the simulation: each way of publishing and each policy, with each engine. */
export function builtInScenarios(): readonly Scenario[] {
  builtIn ??= variants.flatMap(({ name, rollsUp, lease, options }) =>
    Object.entries(engines).map(([engineName, engine]) => {
      const compaction = defineCompaction({
        table,
        source: 's3://lake/raw/',
        target: 's3://lake/compacted/',
        window: '5 minutes',
        ...options,
      })
      return { name: `${name} · ${engineName}`, compaction, engine, lease, rollsUp, keyOf: rawKeys(compaction) }
    }),
  )
  return builtIn
}

/** The caller's own compaction, with both engines in memory. */
export function scenariosOf(
  compaction: Compaction,
  given: { readonly lease?: Duration | undefined; readonly rollsUp: boolean; readonly keyOf?: KeyOf | undefined },
): Scenario[] {
  const { lease, rollsUp, keyOf = rawKeys(compaction) } = given
  return Object.entries(engines).map(([name, engine]) => ({ name, compaction, engine, lease, rollsUp, keyOf }))
}
