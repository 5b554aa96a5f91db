import { createHash } from 'node:crypto'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError, PipeError } from '@pipe/core'
import { withLock } from './cache-lock'
import { cachedJars, unavailable } from './jar-cache'
import { findJava, type Java } from './java'
import { isWarm, jvmFlags, kafkaUser, type Warmth, warmUp } from './warm-start'

/** The versions that the live suites run against: the newest 4.x that starts, and the oldest 4.0.x. */
export const kafkaVersions: { readonly newest: string; readonly oldest: string } = { newest: '4.4.0', oldest: '4.0.0' }

/** The version of {@link startKafkaCluster} when none is named. */
export const defaultKafkaVersion: string = kafkaVersions.newest

/** Whether a real cluster can be started here. `note` is for the title of a suite: empty, or the reason in brackets. */
export type KafkaAvailability =
  | { readonly available: true; readonly version: string; readonly note: '' }
  | { readonly available: false; readonly version: string; readonly note: string; readonly reason: string }

/** What a broker is started from. */
export interface KafkaArtifacts {
  /** `4.4.0` */
  readonly version: string
  /** Path of the Java program. */
  readonly java: string
  /** Value of `-cp`. */
  readonly classPath: string
  /** Formatted storage and class archive. */
  readonly warmth: Warmth
}

/**
 * Tells whether brokers of a version can be started here, and prepares all that is needed for it (jars by `mvn` with the machine's own
 * settings, formatted storage, class archive), once a machine: the first call takes about half a minute, later ones a quarter of a
 * second. Does not throw, except under `CI`, where being unable to run is a failure and not a reason to skip.
 *
 * The cache lies at `PIPE_KAFKA_CACHE`, else in `node_modules/.cache/pipe-kafka` of the repository.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` with the reason, only when the environment variable `CI` is set.
 * @example
 * ```ts
 * const kafka = await kafkaAvailability()
 * describe.skipIf(!kafka.available)(`producer on a real cluster${kafka.note}`, () => …)
 * ```
 */
export async function kafkaAvailability(version: string = defaultKafkaVersion): Promise<KafkaAvailability> {
  let reason: string
  try {
    await kafkaArtifacts(version)
    return { available: true, version, note: '' }
  } catch (error) {
    reason = PipeError.isInstance(error) ? error.message.replace(/^\S+ /, '') : String(error)
  }
  if (isCi()) {
    throw new ConfigError(`Kafka ${version} cannot be started, and CI may not skip it: ${reason}`)
  }
  return { available: false, version, reason, note: ` (skipped: ${reason})` }
}

/**
 * The jars of a version, fetched when they are not there yet, with storage template and class archive. Safe to call from many processes.
 *
 * @throws {@link PipeError} `PIPE_TESTKIT_KAFKA_UNAVAILABLE` without Java 17 or `mvn`, or when the artefacts are not served.
 */
export async function kafkaArtifacts(version: string = defaultKafkaVersion): Promise<KafkaArtifacts> {
  if (!/^4\.\d+\.\d+$/.test(version))
    throw new ConfigError(`"${version}" is not a version of Kafka 4, like ${defaultKafkaVersion}.`)
  const java = await findJava()
  if (!java.found) throw unavailable(java.reason)
  const folder = join(cacheRoot(), version)
  const jars = await cachedJars(folder, version)
  return { version, java: java.command, ...(await warm(folder, jars, java)) }
}

async function warm(
  folder: string,
  jars: readonly string[],
  java: Java & { found: true },
): Promise<Pick<KafkaArtifacts, 'classPath' | 'warmth'>> {
  const classPath = jars.map((jar) => join(folder, 'jars', jar)).join(delimiter)
  // A class archive is valid for one JVM and one class path; the user is in the formatted storage.
  const made = [java.version, java.command, classPath, jvmFlags, kafkaUser]
  const key = createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 12)
  const target = join(folder, `warm-${key}`)
  if (!(await isWarm(target))) {
    await withLock(`${target}.lock`, async () => {
      if (!(await isWarm(target))) await warmUp({ java: java.command, classPath, target })
    })
  }
  return { classPath, warmth: { template: join(target, 'template'), classArchive: join(target, 'classes.jsa') } }
}

function cacheRoot(): string {
  const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..')
  return process.env['PIPE_KAFKA_CACHE'] ?? join(repository, 'node_modules', '.cache', 'pipe-kafka')
}

function isCi(): boolean {
  return !['', 'false', '0'].includes(process.env['CI'] ?? '')
}
