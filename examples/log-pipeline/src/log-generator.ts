import { readEnv, type S3Location } from '@pipe/core'
import { logGeneratorHandler, toS3 } from '@pipe/log-gen'
import { deviceLog } from './log'

// The Lambda function that EventBridge calls each minute. It writes the minute that has just closed.
const { BUCKET, RAW_PREFIX } = readEnv(['BUCKET', 'RAW_PREFIX'])
const location: S3Location = `s3://${BUCKET}/${RAW_PREFIX}`

export const handler = logGeneratorHandler({ log: deviceLog, sink: toS3(location) })
