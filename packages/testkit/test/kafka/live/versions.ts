import { kafkaAvailability, kafkaVersions } from '../../../src/index'

// The oldest version too under CI, or when asked for: it doubles the time.
const both = process.env['PIPE_KAFKA_OLDEST'] || process.env['CI']
const versions = both ? [kafkaVersions.newest, kafkaVersions.oldest] : [kafkaVersions.newest]

/** The versions that live suites run against, each with whether it can be started here. For `describe.each`. */
export const liveVersions = (await Promise.all(versions.map((version) => kafkaAvailability(version)))).map(
  (target) => [target.version, target] as const,
)

/** Whether these are the brokers that everything is tested with. */
export function isNewest(version: string): boolean {
  return version === kafkaVersions.newest
}
