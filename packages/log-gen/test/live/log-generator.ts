import { readEnv } from '@pipe/core'
import { logGeneratorHandler, toS3 } from '@pipe/log-gen'
import { hostileLog } from './hostile-log'

const { BUCKET } = readEnv(['BUCKET'])

export const handler = logGeneratorHandler({ log: hostileLog, sink: toS3(`s3://${BUCKET}/raw/`) })
