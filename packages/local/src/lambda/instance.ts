import { type ChildProcess, fork } from 'node:child_process'
import { dirname } from 'node:path'
import type { FunctionErrorPayload, InstanceMessage, InvokeMessage } from './messages'
import { processConditions } from './process-conditions'

/** How one invocation ended. After `crash` the instance is gone. */
export type Outcome =
  | { readonly kind: 'result'; readonly payload: string }
  | { readonly kind: 'error'; readonly error: FunctionErrorPayload }
  | { readonly kind: 'crash'; readonly error: FunctionErrorPayload }
  | { readonly kind: 'timeout' }

/** One process with one copy of a function: handles one invocation at a time. */
export interface Instance {
  /** Real milliseconds from the start of the process to the loaded function. */
  readonly initMs: number
  /** Resident memory when last reported. */
  readonly rssBytes: number
  invoke(message: Omit<InvokeMessage, 'type' | 'deadlineMs'>, options: InvocationOptions): Promise<Outcome>
  readonly alive: boolean
  /** Kills the process; resolves when it is gone. */
  end(): Promise<void>
}

/** Of one invocation. */
export interface InvocationOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  onLog(line: LogLine): void
}

/** What a function writes: by console (with a level) or to its output. */
export interface LogLine {
  readonly level?: string | undefined
  readonly text: string
}

/** What an instance is started with. */
export interface InstanceOptions {
  readonly file: string
  readonly env: Readonly<Record<string, string>>
  readonly memoryMb: number
  /** Longest time to load the function. */
  readonly initTimeoutMs: number
  /** Gives the start up. */
  readonly signal: AbortSignal
  /** Gets what is written outside invocations. */
  onLog(line: LogLine): void
}

/** Those that run: none outlives this process, and one listener is enough for all. */
const children = new Set<ChildProcess>()

function killChildren(): void {
  for (const child of children) child.kill('SIGKILL')
}

/**
 * Starts a process and waits until the function is loaded.
 *
 * A process, not a worker thread: in one process with the runtime, an array or Map that outgrows the heap limit, or DuckDB at work while its thread is
 * terminated, ends everything (docs/decisions/lambda-instances-are-processes.md).
 *
 * @returns the instance, or the error that ended its initialisation.
 * @throws the signal's reason.
 */
export async function startInstance(options: InstanceOptions): Promise<Instance | { readonly error: FunctionErrorPayload }> {
  const started = performance.now()
  // Lambda's own runtime splits memory like this; buffers and code live in the rest.
  const heap = [
    `--max-old-space-size=${Math.floor(options.memoryMb * 0.9)}`,
    `--max-semi-space-size=${Math.max(1, Math.floor(options.memoryMb * 0.05))}`,
  ]
  const child = fork(options.file, [], {
    cwd: dirname(options.file),
    env: options.env,
    execArgv: [...heap, '--enable-source-maps', ...processConditions().map((condition) => `--conditions=${condition}`)],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  if (children.size === 0) process.once('exit', killChildren)
  children.add(child)

  // Whoever waits for the next thing to happen: first the start, then one invocation after the other.
  let notify: (event: InstanceMessage | { readonly type: 'gone' | 'elapsed' | 'aborted' }) => void = () => {}
  let fatal: FunctionErrorPayload | undefined
  let lastErrorOutput = ''
  let alive = true
  let logTo = options.onLog
  let rssBytes = 0
  child.on('message', (message: InstanceMessage) => {
    if (message.type === 'log') logTo(message)
    else if (message.type === 'fatal') fatal = message.error
    else notify(message)
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      if (stream === child.stderr) lastErrorOutput = (lastErrorOutput + text).slice(-8192)
      logTo({ text })
    })
  }
  const gone = goneOf(child).then(() => {
    children.delete(child)
    if (children.size === 0) process.removeListener('exit', killChildren)
    alive = false
    notify({ type: 'gone' })
  })
  const end = async () => {
    alive = false
    child.kill('SIGKILL')
    await gone
  }
  const nextEvent = async (timeoutMs: number, signal?: AbortSignal, begin = () => {}) => {
    const onAbort = () => notify({ type: 'aborted' })
    signal?.addEventListener('abort', onAbort, { once: true })
    const timer = setTimeout(() => notify({ type: 'elapsed' }), timeoutMs)
    try {
      return await new Promise<Parameters<typeof notify>[0]>((resolve) => {
        notify = resolve
        begin()
      })
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }
  const crashError = () => fatal ?? exitError(child, lastErrorOutput)

  const first = await nextEvent(options.initTimeoutMs, options.signal)
  if (first.type === 'gone') return { error: crashError() }
  if (first.type !== 'ready') {
    await end()
    if (first.type === 'aborted') throw options.signal.reason
    const errorMessage = `Error: Init timed out after ${(options.initTimeoutMs / 1000).toFixed(2)} seconds`
    return { error: { errorType: 'Sandbox.Timedout', errorMessage } }
  }
  rssBytes = first.rssBytes
  return {
    initMs: performance.now() - started,
    get alive() {
      return alive
    },
    get rssBytes() {
      return rssBytes
    },
    end,
    async invoke(message, { timeoutMs, signal, onLog }) {
      signal?.throwIfAborted()
      if (!alive) return { kind: 'crash', error: crashError() }
      logTo = onLog
      const event = await nextEvent(timeoutMs, signal, () => {
        // A process that ends before it can read this answers by `gone`.
        child.send({ type: 'invoke', ...message, deadlineMs: Date.now() + timeoutMs } satisfies InvokeMessage, () => {})
      })
      if (event.type === 'elapsed' || event.type === 'aborted') await end()
      logTo = options.onLog
      if ('rssBytes' in event) rssBytes = event.rssBytes
      if (event.type === 'result') return { kind: 'result', payload: event.payload }
      if (event.type === 'error') return { kind: 'error', error: event.error }
      if (event.type === 'gone') return { kind: 'crash', error: crashError() }
      if (event.type === 'aborted') throw signal?.reason
      return { kind: 'timeout' }
    },
  }
}

/** Resolves when the process has ended, its messages are read and its pipes are closed. */
function goneOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    let open = 2
    const part = () => {
      if (--open === 0) resolve()
    }
    child.once('close', part)
    child.once('disconnect', part)
    // A process that could not be started has neither.
    child.once('error', () => resolve())
  })
}

function exitError(child: ChildProcess, output: string): FunctionErrorPayload {
  const { exitCode, signalCode } = child
  const missing = /^Error \[ERR_MODULE_NOT_FOUND\]: (.*)$/m.exec(output)
  if (missing) return { errorType: 'Runtime.ImportModuleError', errorMessage: `Error: ${missing[1]}` }
  if (/JavaScript heap out of memory/.test(output)) {
    return {
      errorType: 'Runtime.ExitError',
      errorMessage: 'Error: Runtime exited with error: signal: killed (the heap limit of memoryMb)',
    }
  }
  const reason =
    signalCode !== null
      ? ` with error: signal: ${signalCode === 'SIGKILL' ? 'killed' : signalCode}`
      : exitCode
        ? ` with error: exit status ${exitCode}`
        : ' without providing a reason'
  return { errorType: 'Runtime.ExitError', errorMessage: `Error: Runtime exited${reason}` }
}
