import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type ClientTask, keyOf } from './client-task'

/** The version of kcat (Debian's `kcat`), or `undefined` where it is not installed. */
export async function kcatVersion(): Promise<string | undefined> {
  const { code, out } = await kcat(['-V'])
  return code === 0 ? /Version (\S+)/.exec(out)?.[1] : undefined
}

/** kcat writes, reads in a group, and commits when it leaves. @returns the values that it read. */
export async function runKcat({ brokers, topic, group, messages }: ClientTask): Promise<readonly string[]> {
  const broker = ['-b', brokers.join(',')]
  const lines = Array.from({ length: messages }, (_, i) => `${keyOf(i)}:${i}\n`).join('')
  const written = await kcat([...broker, '-P', '-t', topic, '-K', ':', '-X', 'acks=all'], lines)
  if (written.code !== 0) throw new Error(`kcat -P ended with ${written.code}: ${written.errors}`)
  const read = await kcat([...broker, '-X', 'auto.offset.reset=earliest', '-c', String(messages), '-G', group, topic])
  if (read.code !== 0) throw new Error(`kcat -G ended with ${read.code}: ${read.errors}`)
  return read.out.trim().split('\n')
}

async function kcat(
  args: readonly string[],
  input = '',
): Promise<{ readonly code: number; readonly out: string; readonly errors: string }> {
  const child = spawn('kcat', [...args], { stdio: ['pipe', 'pipe', 'pipe'], timeout: 120_000 })
  let out = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors = (errors + chunk).slice(-1000)
  })
  // It may have ended before it has read everything.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return { code: code ?? -1, out, errors }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { code: -1, out: '', errors: 'kcat is not installed' }
    throw error
  }
}
