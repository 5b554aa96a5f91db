import { kafkaAvailability, kafkaVersions } from '@pipe/testkit'
import { test } from 'vitest'

/** `newest` (default) or `oldest`: what the live suites run against. Set by the project `kafka-kit-live-oldest`. */
const wanted = process.env['PIPE_KAFKA_VERSION'] === 'oldest' ? 'oldest' : 'newest'

/** The brokers of this run, with whether they can be started here. */
export const target = await kafkaAvailability(kafkaVersions[wanted])
/** Of the brokers of this run. */
export const version: string = kafkaVersions[wanted]

const isWhole = wanted === 'newest' || process.env['PIPE_KAFKA_OLDEST'] !== undefined

/**
 * A test that is the same with all brokers (time and memory of this side), or takes long: with the oldest brokers only when `PIPE_KAFKA_OLDEST` is set.
 * Not "skipped", as nothing is left out that the newest do not show.
 */
export const newestTest: typeof test = isWhole ? test : (Object.assign(() => undefined, { each: () => () => undefined }) as never)
