import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { PipeError } from '@pipe/core'
import type { ProcessGuard } from './process-guard'

/** `running`; `stopped` by SIGSTOP (its connections stay open, nothing answers); `ended` (killed, terminated or crashed). */
export type BrokerState = 'running' | 'stopped' | 'ended'

/** One broker JVM that can be started again on the same storage. */
export interface BrokerProcess {
  state(): BrokerState
  /** Process id of the last start; `undefined` before it. */
  pid(): number | undefined
  start(): void
  /** SIGKILL: a crash. Resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM: controlled shutdown, leaders move away first. Resolves when the process is gone. */
  terminate(): Promise<void>
  stop(): void
  continue(): void
  /** The last lines of its log. */
  logTail(lines?: number): Promise<string>
}

/** What {@link createBrokerProcess} runs. */
export interface BrokerProcessOptions {
  readonly name: string
  readonly java: string
  readonly args: readonly string[]
  readonly logFile: string
  readonly guard: ProcessGuard
}

/** A broker process that has not been started yet. */
export function createBrokerProcess(options: BrokerProcessOptions): BrokerProcess {
  const { name, guard, logFile } = options
  let child: ChildProcess | undefined
  let gone: Promise<void> = Promise.resolve()
  let state: BrokerState = 'ended'

  const running = (action: string): ChildProcess => {
    if (child === undefined || state === 'ended') throw stateError(`${name} is not running, so it cannot ${action}.`)
    return child
  }
  const endBy = (signal: 'SIGKILL' | 'SIGTERM') => {
    // A stopped process gets SIGTERM only when it runs again.
    if (signal === 'SIGTERM' && state === 'stopped') child?.kill('SIGCONT')
    child?.kill(signal)
    return gone
  }
  return {
    state: () => state,
    pid: () => child?.pid,
    start() {
      if (state !== 'ended') throw stateError(`${name} is ${state} already (process ${child?.pid}).`)
      const log = openSync(logFile, 'a')
      const started = spawn(options.java, options.args, { stdio: ['ignore', log, log] })
      closeSync(log)
      child = started
      state = 'running'
      if (started.pid !== undefined) guard.watch(started.pid)
      gone = new Promise((resolve) => {
        const end = () => {
          if (child === started) state = 'ended'
          if (started.pid !== undefined) guard.forget(started.pid)
          resolve()
        }
        started.once('exit', end)
        // Could not be spawned at all: the log stays empty, whoever waits for readiness sees the state.
        started.once('error', end)
      })
    },
    kill: async () => endBy('SIGKILL'),
    terminate: async () => endBy('SIGTERM'),
    stop() {
      running('stop').kill('SIGSTOP')
      state = 'stopped'
    },
    continue() {
      running('continue').kill('SIGCONT')
      state = 'running'
    },
    logTail: (lines = 30) => tailOf(logFile, lines),
  }
}

/** Enough for thirty long lines of a stack trace. */
const tailBytes = 32_768

async function tailOf(file: string, lines: number): Promise<string> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const bytes = Buffer.alloc(Math.min(size, tailBytes))
    await handle.read(bytes, 0, bytes.length, size - bytes.length)
    return bytes.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n')
  } finally {
    await handle.close()
  }
}

function stateError(message: string): PipeError {
  return new PipeError('PIPE_TESTKIT_BROKER_STATE', message)
}
