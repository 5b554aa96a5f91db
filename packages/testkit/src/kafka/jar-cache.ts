import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PipeError } from '@pipe/core'
import { withLock } from './cache-lock'
import { hasMaven, run } from './java'

/** Binding of slf4j, as Kafka's own pom brings none that writes. Both parts of one release, whatever Kafka pins. */
const slf4jVersion = '2.0.17'
const fetchTimeoutMs = 300_000
/** How long a failed fetch is remembered, so that a run with several suites fails once and not once a suite. */
const failureKeptMs = 600_000

/**
 * Names of the jars of a Kafka version in `<folder>/jars`, in class path order; fetches them by `mvn`, with the machine's own settings,
 * when they are missing or incomplete. One process of a machine fetches, the others wait for it.
 *
 * @throws {@link PipeError} `PIPE_TESTKIT_KAFKA_UNAVAILABLE` without `mvn`, or when it fails. A failure is remembered for ten minutes.
 */
export async function cachedJars(folder: string, version: string): Promise<readonly string[]> {
  const jars = await completeJars(folder)
  if (jars !== undefined) return jars
  return withLock(`${folder}.lock`, async () => (await completeJars(folder)) ?? (await fetchJars(folder, version)))
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

/** The error of everything that makes brokers impossible here. */
export function unavailable(reason: string): PipeError {
  return new PipeError('PIPE_TESTKIT_KAFKA_UNAVAILABLE', reason)
}
