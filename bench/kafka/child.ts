import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'

/** Heap of every measured process. */
const heapFlag = '--max-old-space-size=1024'

/** Runs a script with a task until it ends; what it prints last is its report. */
export async function runTask<Report>(script: string, task: object, node = process.execPath): Promise<Report> {
  const child = spawn(node, [heapFlag, script, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_NO_WARNINGS: '1', KAFKAJS_NO_PARTITIONER_WARNING: '1' },
  })
  let out = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors = (errors + chunk).slice(-2000)
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), taskTimeoutMs)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(timer)
  if (code !== 0) throw new Error(`${JSON.stringify(task)} ended with ${signal ?? `code ${code}`}: ${errors}`)
  return JSON.parse(out.trim().split('\n').at(-1)!) as Report
}

const taskTimeoutMs = 180_000

/** Brokers in a process of their own. */
export interface BrokerChild<Answer> {
  readonly brokers: readonly string[]
  /** What became of it. */
  ask(): Promise<Answer>
  close(): void
}

/** Starts brokers; `close` ends them, and so does the end of this process. */
export async function startBrokers<Answer>(script: string, options: object): Promise<BrokerChild<Answer>> {
  const child: ChildProcess = fork(script, [JSON.stringify(options)], { execArgv: [] })
  const [brokers] = (await once(child, 'message')) as [readonly string[]]
  return {
    brokers,
    async ask() {
      child.send('')
      const [answer] = (await once(child, 'message')) as [Answer]
      return answer
    },
    close: () => void child.disconnect(),
  }
}
