import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { dirname } from 'node:path'
import { anySignal, PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { RuntimeClock } from '../clock'
import type { PolicyDocument } from '../iam/policy'
import { type Bundle, createBundler } from './bundle'
import { type DeployOptions, type FunctionConfig, functionEnv, resolveFunctionConfig } from './function-config'
import { startInstance } from './instance'
import { createInstancePool, type InstancePool } from './instance-pool'
import { createInvocationLog, type InvocationLog, type InvokeResult } from './invocation-log'
import { createLogBuffer, type LogBuffer, type LogEntry } from './log-buffer'

/** A deployed function. */
export interface DeployedFunction {
  readonly name: string
  readonly arn: string
  readonly handler: string
  readonly timeoutMs: number
  readonly memoryMb: number
  /** Size of the bundle. */
  readonly codeBytes: number
  /** SHA-256 of the bundle, base64. */
  readonly codeSha256: string
  /** Milliseconds by the clock of the runtime. */
  readonly deployedAt: number
  readonly env: Readonly<Record<string, string>>
}

/** Options of `lambda.invoke`. */
export interface InvokeOptions {
  /** Ends the invocation (its instance is killed) and rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** The Lambda host of a runtime. */
export interface LambdaHost {
  /**
   * Bundles a function and makes it callable; replaces one of the same name (running invocations end on the old code).
   *
   * @throws ConfigError `PIPE_LOCAL_FUNCTION`, `PIPE_LOCAL_ENTRY`, `PIPE_IAM_POLICY`; PipeError `PIPE_LOCAL_BUNDLE`.
   */
  deploy(options: DeployOptions): Promise<DeployedFunction>
  /**
   * Runs a function. An error inside the function is an answer with `functionError`, not a rejection.
   *
   * @throws PipeError `PIPE_LOCAL_FUNCTION_MISSING` when no such function is deployed; the signal's reason.
   */
  invoke(name: string, event?: unknown, options?: InvokeOptions): Promise<InvokeResult>
  /** The last log lines of a function (8 MB of text), oldest first. */
  logs(name: string): readonly LogEntry[]
  get(name: string): DeployedFunction | undefined
  /** By name. */
  list(): readonly DeployedFunction[]
  /** Ends all instances and removes the bundles. */
  close(): Promise<void>
}

/** What the host needs of its runtime. */
export interface LambdaHostOptions {
  readonly clock: RuntimeClock
  /** The endpoint that functions call, once it listens. */
  endpoint(): string
  /** Fresh credentials for a function. */
  issueCredentials(name: string): {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken: string
  }
  /** Checks and sets the policy; `undefined` allows nothing. */
  setPolicy(name: string, policy: PolicyDocument | undefined): void
  /** Takes over who may invoke the function, and its asynchronous retries. */
  setInvocation(config: Pick<FunctionConfig, 'name' | 'permissions' | 'asyncRetries'>): void
  /** Where bundles of entries outside any package go. */
  readonly bundleDir: string
}

interface Deployment {
  readonly config: FunctionConfig
  readonly bundle: Bundle
  readonly info: DeployedFunction
  readonly credentials: ReturnType<LambdaHostOptions['issueCredentials']>
  readonly pool: InstancePool
}

const logBytes = 8 * 1024 * 1024
// AWS gives 10 s; a laptop that starts several functions at once gets more.
const initTimeoutMs = 30_000

/** The host: functions in processes of their own, with their own environment, credentials, time-out and heap limit. */
export function createLambdaHost(options: LambdaHostOptions): LambdaHost {
  const { clock } = options
  const bundler = createBundler(options.bundleDir)
  const deployments = new Map<string, Deployment>()
  const logs = new Map<string, LogBuffer>()
  const running = new Set<Promise<unknown>>()
  const closing = new AbortController()
  setMaxListeners(0, closing.signal)

  const deploymentOf = (name: string): Deployment => {
    const found = deployments.get(name)
    if (found) return found
    const known = [...deployments.keys()]
    const hint = known.length > 0 ? `Deployed are ${known.join(', ')}.` : 'Deploy it first.'
    throw new PipeError('PIPE_LOCAL_FUNCTION_MISSING', `No function "${name}" is deployed.`, {
      hint,
      details: { function: name },
    })
  }

  const deploy = async (given: DeployOptions): Promise<DeployedFunction> => {
    closing.signal.throwIfAborted()
    const config = resolveFunctionConfig(given)
    const bundle = await bundler.bundle(config)
    options.setPolicy(config.name, config.policy)
    options.setInvocation(config)
    const { name, arn, handler, timeoutMs, memoryMb, env } = config
    const info = {
      name,
      arn,
      handler,
      timeoutMs,
      memoryMb,
      env,
      codeBytes: bundle.bytes,
      codeSha256: bundle.sha256,
      deployedAt: clock.now(),
    }
    const before = deployments.get(name)
    const pool = createInstancePool(config.maxInstances)
    deployments.set(name, { config, bundle, info, credentials: options.issueCredentials(name), pool })
    if (!logs.has(name)) logs.set(name, createLogBuffer(logBytes))
    await before?.pool.retire()
    return info
  }

  const invoke = async (name: string, event: unknown, signal: AbortSignal): Promise<InvokeResult> => {
    closing.signal.throwIfAborted()
    const deployment = deploymentOf(name)
    const { config, pool } = deployment
    const eventText = JSON.stringify(event) ?? 'null'
    const log = createInvocationLog(logs.get(name)!, () => clock.now())
    const { requestId } = log
    const warm = await pool.acquire(signal)
    let instance = warm
    try {
      if (!warm) {
        log.add('INIT_START Runtime Version: local nodejs')
        const started = await start(deployment, log)
        if ('error' in started) {
          log.add(`START RequestId: ${requestId} Version: $LATEST`)
          return log.result({ kind: 'crash', error: started.error }, { config, coldStart: true, durationMs: 0 })
        }
        instance = started
      }
      const worker = instance!
      log.add(`START RequestId: ${requestId} Version: $LATEST`)
      const rssBefore = worker.rssBytes
      const from = performance.now()
      const outcome = await worker.invoke(
        { requestId, event: eventText, functionArn: config.arn },
        { timeoutMs: config.timeoutMs, signal, onLog: log.addLine },
      )
      return log.result(outcome, {
        config,
        coldStart: !warm,
        durationMs: performance.now() - from,
        ...(warm ? {} : { initDurationMs: worker.initMs }),
        ...(worker.alive ? { rssBytes: worker.rssBytes, rssGrowthBytes: worker.rssBytes - rssBefore } : {}),
      })
    } finally {
      pool.release(instance)
    }
  }

  /** Lines of the initialisation belong to the invocation that caused it; what is written between invocations belongs to none. */
  const start = async ({ config, bundle, credentials }: Deployment, log: InvocationLog) => {
    let onLog = log.addLine
    const logStream = `${new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', '/')}/[$LATEST]${randomBytes(16).toString('hex')}`
    const env = functionEnv(config, { endpoint: options.endpoint(), credentials, logStream, taskRoot: dirname(bundle.file) })
    const started = await startInstance({
      file: bundle.file,
      env,
      memoryMb: config.memoryMb,
      initTimeoutMs,
      signal: closing.signal,
      onLog: (line) => onLog(line),
    })
    onLog = createInvocationLog(logs.get(config.name)!, () => clock.now()).addOutside
    return started
  }

  return {
    deploy,
    invoke(name, event = {}, invokeOptions = {}) {
      checkOptions('lambda.invoke', invokeOptions, { optional: ['signal'] })
      const work = invoke(name, event, anySignal(invokeOptions.signal, closing.signal)!)
      const done: Promise<unknown> = work.then(ignore, ignore).then(() => running.delete(done))
      running.add(done)
      return clock.track(work)
    },
    logs(name) {
      deploymentOf(name)
      return logs.get(name)!.entries()
    },
    get: (name) => deployments.get(name)?.info,
    list: () => [...deployments.values()].map(({ info }) => info).sort((a, b) => (a.name < b.name ? -1 : 1)),
    async close() {
      closing.abort(new PipeError('PIPE_LOCAL_CLOSED', 'The local runtime is closed.'))
      await Promise.all(running)
      await Promise.all([...deployments.values()].map(({ pool }) => pool.retire()))
      bundler.close()
    },
  }
}

const ignore = () => {}
