import { kafkaAvailability, kafkaVersions } from '@pipe/testkit'

// The oldest version too when asked for: it doubles the time.
const both = process.env['PIPE_KAFKA_OLDEST']
const versions = both ? [kafkaVersions.newest, kafkaVersions.oldest] : [kafkaVersions.newest]

/** The versions that a live suite runs against, each with whether it can be started here. For `describe.each`. */
export const liveVersions = (await Promise.all(versions.map((version) => kafkaAvailability(version)))).map(
  (target) => [target.version, target] as const,
)

/** What does not depend on the version of the brokers is tested with the newest one only. */
export function isNewest(version: string): boolean {
  return version === kafkaVersions.newest
}
