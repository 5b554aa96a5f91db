import { spawn } from 'node:child_process'
import { cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PipeError } from '@pipe/core'
import { brokerSettings, propertiesText } from './broker-settings'
import { run } from './java'
import { freePorts } from './ports'

/** The user that every cluster knows, by SCRAM and by PLAIN, on the listener of `secured: true`. */
export const kafkaUser: { readonly username: string; readonly password: string } = { username: 'pipe', password: 'pipe-secret' }

/** What makes the start of a broker fast: made once for a version, a JVM and a class path. */
export interface Warmth {
  /** A formatted log directory of node 1 that only needs its ids rewritten. */
  readonly template: string
  /** Class archive (application class data sharing, JEP 310 and 350): a broker starts in a third of the CPU time. */
  readonly classArchive: string
}

/** Flags of every broker JVM. Serial collector and first compiler tier only: three brokers share few cores and live for minutes. */
export const jvmFlags: readonly string[] = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** Whether {@link warmUp} has finished here. */
export async function isWarm(target: string): Promise<boolean> {
  try {
    await stat(target)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/**
 * Formats a log directory with Kafka's own tool, keeps a copy as template, then starts one broker on it and ends it in order, so that
 * the JVM writes the archive of the classes it loaded.
 *
 * @throws {@link PipeError} `PIPE_TESTKIT_KAFKA_UNAVAILABLE` when the tool or the broker fails, with the end of what it wrote.
 */
export async function warmUp(options: {
  readonly java: string
  readonly classPath: string
  readonly target: string
}): Promise<void> {
  const { java, classPath, target } = options
  const folder = `${target}.partial-${process.pid}`
  const data = join(folder, 'data')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  try {
    const [broker, proxy, controller] = (await freePorts(3)) as [number, number, number]
    const settings = brokerSettings({
      nodeId: 1,
      ports: { broker, proxy, controller },
      advertisedProxyPort: proxy,
      voters: [{ nodeId: 1, port: controller }],
      logDir: data,
      minInSyncReplicas: 1,
      secured: undefined,
    })
    const file = join(folder, 'broker.properties')
    await writeFile(file, propertiesText(settings))
    const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${kafkaUser.username},password=${kafkaUser.password}]`,
    ])
    const format = ['kafka.tools.StorageTool', 'format', '-t', 'cGlwZS10ZXN0a2l0LTAwMQ', '-c', file, ...scram]
    const formatted = await run(java, [...jvmFlags, '-cp', classPath, ...format], { timeoutMs: 120_000 })
    if (formatted.failure !== undefined) throw failed('the storage could not be formatted', formatted.failure)
    await cp(data, join(folder, 'template'), { recursive: true })
    await recordClasses(java, [
      ...jvmFlags,
      `-XX:ArchiveClassesAtExit=${join(folder, 'classes.jsa')}`,
      '-cp',
      classPath,
      'kafka.Kafka',
      file,
    ])
    await stat(join(folder, 'classes.jsa'))
    await rm(data, { recursive: true, force: true })
    await rename(folder, target)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function recordClasses(java: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(java, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const end = () => void child.kill('SIGKILL')
    process.once('exit', end)
    const timer = setTimeout(end, 240_000)
    let log = ''
    let started = false
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      log = (log + chunk).slice(-8000)
      if (started || !log.includes('Kafka Server started')) return
      started = true
      child.kill('SIGTERM')
    })
    child.once('error', reject)
    child.once('exit', () => {
      clearTimeout(timer)
      process.off('exit', end)
      if (started) resolve()
      else reject(failed('the first broker did not start', log.slice(-2000)))
    })
  })
}

/** Makes the log directory of a broker from the template: the same metadata, its own ids. */
export async function placeStorage(
  template: string,
  target: string,
  ids: { readonly clusterId: string; readonly nodeId: number; readonly directoryId: string },
): Promise<void> {
  await cp(template, target, { recursive: true })
  const file = join(target, 'meta.properties')
  const values: Record<string, string> = {
    'cluster.id': ids.clusterId,
    'node.id': String(ids.nodeId),
    'directory.id': ids.directoryId,
  }
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => {
    const name = line.slice(0, line.indexOf('='))
    return values[name] === undefined ? line : `${name}=${values[name]}`
  })
  await writeFile(file, lines.join('\n'))
}

function failed(what: string, why: string): PipeError {
  return new PipeError('PIPE_TESTKIT_KAFKA_UNAVAILABLE', `${what}: ${why}`)
}
