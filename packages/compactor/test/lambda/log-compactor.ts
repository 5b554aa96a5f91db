import { createAthena } from '@pipe/athena-query'
import { column, defineTable, readEnv, type S3Location } from '@pipe/core'
import { athenaEngine, compactorHandler, createCompactor, defineCompaction, inProcessEngine } from '../../src/index'

// The function that the tests deploy: as small as one can be.
const env = readEnv(['BUCKET', 'DATABASE', 'ENGINE'])
const place = (folder: string): S3Location => `s3://${env.BUCKET}/${folder}/`
const table = defineTable('device_logs', {
  columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double() },
  eventTime: 'timestamp',
})
const athena = createAthena({ database: env.DATABASE, output: place('results') })
const compaction = defineCompaction({ table, source: place('raw'), target: place('compacted'), window: '5 minutes' })
const engine = env.ENGINE === 'athena' ? athenaEngine({ athena }) : inProcessEngine()

export const handler = compactorHandler(createCompactor({ compaction, engine, athena }))
