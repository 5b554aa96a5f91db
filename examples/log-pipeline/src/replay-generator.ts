import { type Duration, readEnv, type S3Location } from '@pipe/core'
import { logGeneratorHandler, toS3 } from '@pipe/log-gen'
import { recordedSeries } from './recorded-series'

// The same function for recorded data: each tick writes what was recorded in the time that has just closed.
const { BUCKET, RAW_PREFIX, INPUT, TICK, WINDOW } = readEnv(['BUCKET', 'RAW_PREFIX', 'INPUT', 'TICK', 'WINDOW'])
const location: S3Location = `s3://${BUCKET}/${RAW_PREFIX}`

const log = recordedSeries(INPUT, { tick: TICK as Duration, window: WINDOW as Duration })

export const handler = logGeneratorHandler({ log, sink: toS3(location) })
