import { readEnv, type S3Location } from '@pipe/core'
import { logGeneratorHandler, toS3 } from '@pipe/log-gen'
import { dayCatchUp, dayLog } from './day-log'

// The same function for the simulated day: a tick that was missed is made up for by the next one.
const { BUCKET, RAW_PREFIX } = readEnv(['BUCKET', 'RAW_PREFIX'])
const location: S3Location = `s3://${BUCKET}/${RAW_PREFIX}`

export const handler = logGeneratorHandler({ log: dayLog, sink: toS3(location), catchUp: dayCatchUp })
