import { createAthena } from '@pipe/athena-query'
import { column, defineTable } from '@pipe/core'
import { expectTypeOf } from 'vitest'
import {
  athenaEngine,
  type Compaction,
  compactorHandler,
  createCompactor,
  defineCompaction,
  inProcessEngine,
  type Outcome,
  type RunResult,
  type VerificationReport,
} from '../../src/index'
import { collectGarbage, type GarbageReport } from '../../src/maintenance'
import { type SimulationReport, simulateCrashes } from '../../src/testing'

const table = defineTable('t', { columns: { at: column.timestamp(), name: column.string() } })
const compaction = defineCompaction({ table, source: 's3://lake/raw/', target: 's3://lake/out/', window: '5 minutes' })
expectTypeOf(compaction).toEqualTypeOf<Compaction>()

// @ts-expect-error a place starts with s3://
defineCompaction({ table, source: '/raw/', target: 's3://lake/out/', window: '5 minutes' })
// @ts-expect-error a window is a duration
defineCompaction({ table, source: 's3://lake/raw/', target: 's3://lake/out/', window: '5 fortnights' })
// @ts-expect-error no such policy for late objects
defineCompaction({ table, source: 's3://lake/raw/', target: 's3://lake/out/', window: '5 minutes', onLate: 'drop' })
// @ts-expect-error unknown option
inProcessEngine({ memory: 5 })
// @ts-expect-error the engine needs a client
athenaEngine({})

const compactor = createCompactor({ compaction, engine: athenaEngine({ athena: createAthena({ database: 'lake' }) }) })
expectTypeOf(compactor.run({ at: new Date() })).resolves.toEqualTypeOf<RunResult>()
expectTypeOf<RunResult['outcome']>().toEqualTypeOf<Outcome>()
expectTypeOf<Outcome>().toEqualTypeOf<'committed' | 'already-committed' | 'empty' | 'leased-elsewhere' | 'aborted' | 'partial'>()
// @ts-expect-error the scheduled time is required
void compactor.run({})
expectTypeOf(compactorHandler(compactor)).returns.resolves.toEqualTypeOf<{ readonly statusCode: number; readonly body: string }>()
expectTypeOf(compactor.verify('20261124T1530Z')).resolves.toEqualTypeOf<VerificationReport>()
// @ts-expect-error a range has two ends
void compactor.backfill({ from: new Date() })
// @ts-expect-error a lease is a duration
createCompactor({ compaction, engine: inProcessEngine(), lease: 900 })
// @ts-expect-error nothing writes ORC in process
inProcessEngine({ format: 'orc' })
expectTypeOf(collectGarbage({ compaction })).resolves.toEqualTypeOf<GarbageReport>()
expectTypeOf(simulateCrashes({ compaction, schedules: 1 })).resolves.toEqualTypeOf<SimulationReport>()
// @ts-expect-error no such step
void simulateCrashes({ schedules: 1, breakStep: 'lunch' })
