import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Catalog } from '../catalog/catalog'
import type { RuntimeClock } from '../clock'
import type { ObjectFiles } from '../s3/object-files'
import type { Authorizer } from '../service'
import type { AthenaControls } from './controls'
import { type Execution, type ExecutionRequest, isFinal } from './execution'
import { createPermissions } from './permissions'
import { prepareStatement } from './prepare-statement'
import type { PreparedStatements } from './prepared-statements'
import { AthenaFailure, type SelectEngine } from './query-engine'
import { reusableExecution } from './result-reuse'
import { runStatement } from './run-statement'
import { ScanLimitExceeded } from './scan-limit'
import { type Statement, type StatementClass, statementClasses } from './statement'
import { outputPath } from './statement-context'

/** All executions of this process. */
export interface Executions {
  /** Queues an execution and returns at once. The same token with the same request gives the same execution. */
  start(request: ExecutionRequest): Execution
  get(id: string): Execution | undefined
  /** Newest first. */
  list(workgroup: string): readonly Execution[]
  /** Cancels it; nothing happens when it has ended. */
  stop(execution: Execution): void
  /** Cancels everything and waits until nothing runs. */
  close(): Promise<void>
}

/** The token was used for another request. */
export class TokenMismatch extends Error {}

/** Queries that run at the same time; the others wait in state QUEUED. */
const maxRunning = 5
/** Ended executions are forgotten, oldest first, beyond this many. */
const maxHistory = 10_000

/** @see {@link Executions} */
export function createExecutions(options: {
  readonly catalog: Catalog
  readonly prepared: PreparedStatements
  readonly files: ObjectFiles
  readonly clock: RuntimeClock
  readonly authorizer: Authorizer
  readonly controls: AthenaControls
  readonly scratchDir: string
  engine(): Promise<SelectEngine>
}): Executions {
  const { clock } = options
  const all = new Map<string, Execution>()
  const byToken = new Map<string, { readonly fingerprint: string; readonly id: string }>()
  const aborts = new Map<string, AbortController>()
  const active = new Set<Promise<void>>()
  const slots = createSlots(maxRunning)
  let closed = false

  const finish = (execution: Execution, state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED', reason?: string) => {
    execution.state = state
    execution.reason = reason
    execution.completedAt = clock.now()
  }

  const run = async (execution: Execution, signal: AbortSignal): Promise<void> => {
    const queuedAt = performance.now()
    const hasSlot = await slots.take(signal)
    execution.queuedMs = performance.now() - queuedAt
    if (!hasSlot) return finish(execution, 'CANCELLED', cancelled)
    const startedAt = performance.now()
    execution.state = 'RUNNING'
    try {
      if (execution.statement instanceof AthenaFailure) throw execution.statement
      const { request, id } = execution
      const reused = reusableExecution(execution, all.values(), { files: options.files, now: () => clock.now() })
      if (reused?.outcome) {
        execution.reusedFrom = reused
        execution.outcome = { ...reused.outcome, scannedBytes: 0, planningMs: 0 }
        return finish(execution, 'SUCCEEDED')
      }
      execution.outcome = await runStatement(execution.statement, {
        id,
        database: request.database?.toLowerCase() ?? 'default',
        workgroup: request.workgroup,
        maxScannedBytes: request.maxScannedBytes,
        onScan: (bytes) => {
          execution.scannedBytes = bytes
        },
        prepared: options.prepared,
        catalog: options.catalog,
        files: options.files,
        permissions: createPermissions(options.authorizer, request.principal),
        output: request.output,
        outputEnforced: request.outputEnforced,
        scratch: join(options.scratchDir, id),
        signal,
        now: () => clock.now(),
        engine: options.engine,
      })
      finish(execution, 'SUCCEEDED')
    } catch (error) {
      if (signal.aborted) finish(execution, 'CANCELLED', cancelled)
      else if (error instanceof ScanLimitExceeded) finish(execution, 'CANCELLED', error.message)
      else {
        execution.failure = asFailure(error)
        finish(execution, 'FAILED', execution.failure.message)
      }
    } finally {
      execution.runningMs = performance.now() - startedAt
      slots.release()
    }
  }

  /** Queued and running ones. Athena counts DDL and all others apart. */
  const activeOf = (type: string) =>
    [...aborts.keys()].filter((id) => (all.get(id)?.class.type === 'DDL') === (type === 'DDL')).length

  const forget = () => {
    for (const [id, execution] of all) {
      if (all.size <= maxHistory) return
      if (!isFinal(execution.state)) continue
      all.delete(id)
      if (execution.request.token !== undefined) byToken.delete(execution.request.token)
    }
  }

  return {
    start(request) {
      const fingerprint = JSON.stringify([
        request.query,
        request.parameters,
        request.catalog,
        request.database,
        request.workgroup,
        request.output,
      ])
      const before = request.token === undefined ? undefined : byToken.get(request.token)
      if (before) {
        if (before.fingerprint !== fingerprint) throw new TokenMismatch()
        return all.get(before.id) as Execution
      }
      const id = randomUUID()
      const statement = parsed(request, (name) => {
        createPermissions(options.authorizer, request.principal).athena('GetPreparedStatement', request.workgroup)
        return options.prepared.get(request.workgroup, name)
      })
      const statementClass = statement instanceof AthenaFailure ? classOfText(request.query) : statementClasses[statement.kind]
      options.controls.beforeStart(statementClass.type, activeOf(statementClass.type))
      const execution: Execution = {
        id,
        request,
        statement,
        class: statementClass,
        outputPath: outputPath({ id, output: request.output }, suffixOf(statementClass)),
        submittedAt: clock.now(),
        state: 'QUEUED',
        reason: undefined,
        completedAt: undefined,
        failure: undefined,
        outcome: undefined,
        reusedFrom: undefined,
        scannedBytes: 0,
        queuedMs: 0,
        runningMs: 0,
      }
      all.set(id, execution)
      if (request.token !== undefined) byToken.set(request.token, { fingerprint, id })
      forget()
      const abort = new AbortController()
      aborts.set(id, abort)
      if (closed) abort.abort()
      const running: Promise<void> = clock.track(run(execution, abort.signal)).finally(() => {
        aborts.delete(id)
        active.delete(running)
      })
      active.add(running)
      return execution
    },
    get: (id) => all.get(id),
    list: (workgroup) => [...all.values()].filter((execution) => execution.request.workgroup === workgroup).reverse(),
    stop: (execution) => aborts.get(execution.id)?.abort(),
    async close() {
      closed = true
      for (const abort of aborts.values()) abort.abort()
      await Promise.all(active)
    },
  }
}

const cancelled = 'Query cancelled by user'

function parsed(request: ExecutionRequest, find: Parameters<typeof prepareStatement>[2]): Statement | AthenaFailure {
  try {
    return prepareStatement(request.query, request.parameters, find)
  } catch (error) {
    return asFailure(error)
  }
}

function asFailure(error: unknown): AthenaFailure {
  if (error instanceof AthenaFailure) return error
  const message = error instanceof Error ? error.message : String(error)
  return new AthenaFailure(`GENERIC_INTERNAL_ERROR: ${message}`, { category: 1, type: 100, cause: error })
}

/** The class of a text that is no statement: by its first word. */
function classOfText(query: string): StatementClass {
  const word = /[a-z]+/i.exec(query)?.[0].toUpperCase() ?? ''
  if (['CREATE', 'DROP', 'ALTER', 'MSCK'].includes(word)) return { type: 'DDL', substatement: word }
  if (['SHOW', 'DESCRIBE', 'DESC', 'EXPLAIN'].includes(word)) return { type: 'UTILITY', substatement: word }
  return { type: 'DML', substatement: word }
}

function suffixOf({ type, substatement }: StatementClass): '.csv' | '.txt' | '' {
  if (['CREATE_TABLE_AS_SELECT', 'INSERT', 'UNLOAD'].includes(substatement)) return ''
  return type === 'DML' ? '.csv' : '.txt'
}

/** A counting semaphore. `take` resolves to false, without a slot, when the signal aborts first. */
function createSlots(count: number) {
  let free = count
  const waiting: (() => void)[] = []
  return {
    take(signal: AbortSignal): Promise<boolean> {
      if (signal.aborted) return Promise.resolve(false)
      if (free > 0) {
        free--
        return Promise.resolve(true)
      }
      return new Promise((resolve) => {
        const go = () => {
          signal.removeEventListener('abort', leave)
          resolve(true)
        }
        const leave = () => {
          waiting.splice(waiting.indexOf(go), 1)
          resolve(false)
        }
        waiting.push(go)
        signal.addEventListener('abort', leave, { once: true })
      })
    },
    release() {
      const next = waiting.shift()
      if (next) next()
      else free++
    },
  }
}
