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
} from '../../src/index'

const table = defineTable('t', { columns: { at: column.timestamp(), name: column.string() } })
const compaction = defineCompaction({ table, source: 's3://lake/raw/', target: 's3://lake/out/', window: '5 minutes' })
expectTypeOf(compaction).toEqualTypeOf<Compaction>()

// @ts-expect-error a place starts with s3://
defineCompaction({ table, source: '/raw/', target: 's3://lake/out/', window: '5 minutes' })
// @ts-expect-error a window is a duration
defineCompaction({ table, source: 's3://lake/raw/', target: 's3://lake/out/', window: '5 fortnights' })
// @ts-expect-error there is one policy for late objects
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
