import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError, PipeError } from '@pipe/core'
import { withLock } from './cache-lock'
import { findJava, hasMaven, type Java, run } from './java'
import { isWarm, type Warmth, warmUp } from './warm-start'

/** The versions that the live suites run against: the newest 4.x that starts, and the oldest 4.0.x. */
export const kafkaVersions: { readonly newest: string; readonly oldest: string } = { newest: '4.4.0', oldest: '4.0.0' }

/** The version of {@link startKafkaCluster} when none is named. */
export const defaultKafkaVersion: string = kafkaVersions.newest

/** Binding of slf4j, as Kafka's own pom brings none that writes. Both parts of one release, whatever Kafka pins. */
const slf4jVersion = '2.0.17'
const fetchTimeoutMs = 300_000
/** How long a failed fetch is remembered, so that a run with several suites fails once and not once a suite. */
const failureKeptMs = 600_000

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
  let jars = await completeJars(folder)
  if (jars === undefined)
    jars = await withLock(`${folder}.lock`, async () => (await completeJars(folder)) ?? fetchJars(folder, version))
  return { version, java: java.command, ...(await warm(folder, jars, java)) }
}

async function warm(
  folder: string,
  jars: readonly string[],
  java: Java & { found: true },
): Promise<Pick<KafkaArtifacts, 'classPath' | 'warmth'>> {
  const classPath = jars.map((jar) => join(folder, 'jars', jar)).join(delimiter)
  // A class archive is valid for one JVM and one class path.
  const key = createHash('sha256').update(`${java.version}\n${java.command}\n${classPath}`).digest('hex').slice(0, 12)
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

/** Names of the jars in class path order; `undefined` when they are missing, fewer or shorter than what was fetched. */
async function completeJars(folder: string): Promise<readonly string[] | undefined> {
  const manifest = await readOrUndefined(join(folder, 'complete.json'))
  if (manifest === undefined) return undefined
  const sizes = JSON.parse(manifest) as Record<string, number>
  for (const [jar, size] of Object.entries(sizes)) {
    const found = await stat(join(folder, 'jars', jar)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (found?.size !== size) return undefined
  }
  return Object.keys(sizes)
}

async function fetchJars(folder: string, version: string): Promise<readonly string[]> {
  const failedFile = `${folder}.failed.json`
  const before = await readOrUndefined(failedFile)
  if (before !== undefined) {
    const { at, reason } = JSON.parse(before) as { at: number; reason: string }
    if (Date.now() - at < failureKeptMs) throw unavailable(reason)
    await rm(failedFile, { force: true })
  }
  if (!(await hasMaven())) throw unavailable('mvn is not on the path, and the jars are not in the cache')
  const partial = `${folder}.partial-${process.pid}`
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { recursive: true })
  try {
    await writeFile(join(partial, 'pom.xml'), pomOf(version))
    const args = ['-B', '-q', 'dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=jars']
    const { failure } = await run('mvn', args, { cwd: partial, timeoutMs: fetchTimeoutMs })
    if (failure !== undefined) {
      const reason = `mvn could not fetch Kafka ${version}: ${failure}`
      await writeFile(failedFile, JSON.stringify({ at: Date.now(), reason }))
      throw unavailable(reason)
    }
    const jars = (await readdir(join(partial, 'jars'))).sort()
    const sizes: Record<string, number> = {}
    for (const jar of jars) sizes[jar] = (await stat(join(partial, 'jars', jar))).size
    await writeFile(join(partial, 'complete.json'), JSON.stringify(sizes, undefined, 2))
    // What lies there was found to be incomplete.
    await rm(folder, { recursive: true, force: true })
    await rename(partial, folder)
    return jars
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

/** A project whose only content is what a broker needs at run time. */
function pomOf(version: string): string {
  const dependencies = [
    ['org.apache.kafka', 'kafka_2.13', version],
    ['org.slf4j', 'slf4j-api', slf4jVersion],
    ['org.slf4j', 'slf4j-simple', slf4jVersion],
  ].map(([group, artifact, release]) => {
    return `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${release}</version></dependency>`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>pipe</groupId>
  <artifactId>kafka-brokers</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`
}

async function readOrUndefined(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function isCi(): boolean {
  return !['', 'false', '0'].includes(process.env['CI'] ?? '')
}

function unavailable(reason: string): PipeError {
  return new PipeError('PIPE_TESTKIT_KAFKA_UNAVAILABLE', reason)
}
