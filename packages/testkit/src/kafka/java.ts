import { type ExecFileException, execFile } from 'node:child_process'
import { join } from 'node:path'

/** The oldest Java that Apache Kafka 4 brokers run on (KIP-1013). */
const oldestJava = 17

/** A Java that can run brokers, or why there is none. */
export type Java =
  | { readonly found: true; readonly command: string; readonly version: string }
  | { readonly found: false; readonly reason: string }

const asked = new Map<string, Promise<Java>>()

/** Looks for Java 17 or newer at `JAVA_HOME`, else on the path. Asks each program once a process. Never throws. */
export function findJava(): Promise<Java> {
  const home = process.env['JAVA_HOME']
  const command = home ? join(home, 'bin', 'java') : 'java'
  const found = asked.get(command) ?? askJava(command)
  asked.set(command, found)
  return found
}

async function askJava(command: string): Promise<Java> {
  const answer = await run(command, ['-version'])
  if (answer.failure !== undefined) return { found: false, reason: `no Java: ${command} -version failed (${answer.failure})` }
  const version = /version "([^"]+)"/.exec(answer.output)?.[1]
  if (version === undefined) return { found: false, reason: `${command} -version did not name a version` }
  if (Number(version.split('.')[0]) < oldestJava) {
    return { found: false, reason: `Java ${version} is too old: Kafka 4 needs ${oldestJava} or newer` }
  }
  return { found: true, command, version }
}

/** Whether `mvn` can be started. Only its presence: what it can fetch is known after fetching. Never throws. */
export async function hasMaven(): Promise<boolean> {
  return (await run('mvn', ['-v'])).failure === undefined
}

/** Runs a program to its end. `failure` is its error in a few words, with the lines in which Maven names errors. Never throws. */
export function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly timeoutMs?: number } = {},
): Promise<{ readonly output: string; readonly failure: string | undefined }> {
  return new Promise((resolve) => {
    const limits = { cwd: options.cwd, timeout: options.timeoutMs ?? 30_000, maxBuffer: 64 << 20 }
    execFile(command, args, limits, (error, stdout, stderr) => {
      const output = `${stdout}\n${stderr}`
      resolve({ output, failure: error ? failureOf(error, output) : undefined })
    })
  })
}

function failureOf(error: ExecFileException, output: string): string {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'not found'
  if (error.killed) return 'took too long'
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const named = lines.filter((line) => /ERROR|Exception/.test(line))
  const text = (named.length > 0 ? named.slice(0, 2) : lines.slice(-2)).join(' ').trim()
  return text === '' ? error.message : text.slice(0, 600)
}
