import { logGeneratorHandler, toS3 } from '@pipe/log-gen'
import { deviceLog } from './log'
import { places } from './places'

/** Called each minute: writes the minute that has just closed. */
export const handler = logGeneratorHandler({ log: deviceLog, sink: toS3(places.raw) })
