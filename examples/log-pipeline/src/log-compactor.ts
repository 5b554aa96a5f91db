import { createAthena } from '@pipe/athena-query'
import { athenaEngine, compactorHandler, createCompactor, defineCompaction, inProcessEngine } from '@pipe/compactor'
import { ConfigError, type Duration, readEnv, type S3Location } from '@pipe/core'
import { tableFor } from './table'

// The Lambda function that EventBridge calls at the end of each window: one Parquet file a window.
const env = readEnv([
  'BUCKET',
  'RAW_PREFIX',
  'COMPACTED_PREFIX',
  'RESULTS_PREFIX',
  'DATABASE',
  'COMPACTED_TABLE',
  'WINDOW',
  'GRACE',
  'ENGINE',
  'WORKGROUP',
])
const place = (prefix: string): S3Location => `s3://${env.BUCKET}/${prefix}`

const athena = createAthena({ database: env.DATABASE, output: place(env.RESULTS_PREFIX), workgroup: env.WORKGROUP })
const compaction = defineCompaction({
  table: tableFor(env.WINDOW as Duration),
  source: place(env.RAW_PREFIX),
  target: place(env.COMPACTED_PREFIX),
  compactedTable: env.COMPACTED_TABLE,
  window: env.WINDOW as Duration,
  grace: env.GRACE as Duration,
})
const engines = { athena: () => athenaEngine({ athena }), 'in-process': () => inProcessEngine() }
if (!Object.hasOwn(engines, env.ENGINE))
  throw new ConfigError(`ENGINE is "${env.ENGINE}".`, { code: 'PIPE_ENV', hint: 'Set it to athena or in-process.' })
const engine = engines[env.ENGINE as keyof typeof engines]()

export const handler = compactorHandler(createCompactor({ compaction, engine, athena }))
