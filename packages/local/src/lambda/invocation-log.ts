import { randomUUID } from 'node:crypto'
import type { FunctionConfig } from './function-config'
import type { LogLine, Outcome } from './instance'
import type { LogBuffer } from './log-buffer'
import type { FunctionErrorPayload } from './messages'

/** Answer of an invocation, also of one that failed inside the function. */
export interface InvokeResult {
  readonly statusCode: 200
  /** What the handler returned, or `{ errorType, errorMessage, trace? }`. */
  readonly payload: unknown
  /** The same as JSON text. */
  readonly payloadText: string
  /** Present when the function failed. */
  readonly functionError?: 'Unhandled'
  readonly requestId: string
  /** The log lines of this invocation, START to REPORT. */
  readonly logs: readonly string[]
  readonly coldStart: boolean
  /** Real milliseconds in the handler. */
  readonly durationMs: number
  /** Real milliseconds of loading the function; only after a cold start. */
  readonly initDurationMs?: number
  /** Resident memory of the instance at the end, and how much it grew by this invocation; absent when the instance is gone. */
  readonly rssBytes?: number
  readonly rssGrowthBytes?: number
}

/** Facts of an invocation that stand in its answer and its REPORT line. */
export interface InvocationFacts {
  readonly config: Pick<FunctionConfig, 'timeoutMs' | 'memoryMb'>
  readonly coldStart: boolean
  readonly durationMs: number
  readonly initDurationMs?: number
  readonly rssBytes?: number
  readonly rssGrowthBytes?: number
}

/** Collects the lines of one invocation and makes its answer. */
export interface InvocationLog {
  readonly requestId: string
  add(message: string): void
  /** What the function wrote. */
  addLine(line: LogLine): void
  /** The same, outside of this invocation: goes to the function's log only. */
  addOutside(line: LogLine): void
  /** Writes END and REPORT. */
  result(outcome: Outcome, facts: InvocationFacts): InvokeResult
}

/** @param now Milliseconds by the clock of the runtime. */
export function createInvocationLog(buffer: LogBuffer, now: () => number): InvocationLog {
  const requestId = randomUUID()
  const lines: string[] = []
  const add = (message: string) => {
    lines.push(message)
    buffer.add({ timestamp: now(), requestId, message })
  }
  return {
    requestId,
    add,
    addLine: (line) => add(formatLine(line, requestId, now())),
    addOutside: (line) => buffer.add({ timestamp: now(), message: formatLine(line, 'undefined', now()) }),
    result(outcome, { config, coldStart, durationMs, initDurationMs, rssBytes, rssGrowthBytes }) {
      const error = errorOf(outcome, requestId, config.timeoutMs)
      if (outcome.kind === 'timeout')
        add(`${new Date(now()).toISOString()} ${requestId} Task timed out after ${seconds(config.timeoutMs)} seconds`)
      if (outcome.kind === 'crash') add(`${error!.errorMessage}\n${error!.errorType}`)
      add(`END RequestId: ${requestId}`)
      const parts = [
        `REPORT RequestId: ${requestId}`,
        `Duration: ${durationMs.toFixed(2)} ms`,
        `Billed Duration: ${Math.ceil(durationMs)} ms`,
        `Memory Size: ${config.memoryMb} MB`,
      ]
      if (rssBytes !== undefined) parts.push(`Max Memory Used: ${Math.round(rssBytes / 1_048_576)} MB`)
      if (initDurationMs !== undefined) parts.push(`Init Duration: ${initDurationMs.toFixed(2)} ms`)
      if (outcome.kind === 'timeout') parts.push('Status: timeout')
      if (outcome.kind === 'crash') parts.push('Status: error', `Error Type: ${error!.errorType}`)
      add(parts.join('\t'))
      const payloadText = outcome.kind === 'result' ? outcome.payload : JSON.stringify(error)
      return {
        statusCode: 200,
        payload: JSON.parse(payloadText),
        payloadText,
        ...(error === undefined ? {} : { functionError: 'Unhandled' as const }),
        requestId,
        logs: lines,
        coldStart,
        durationMs,
        ...(initDurationMs === undefined ? {} : { initDurationMs }),
        ...(rssBytes === undefined ? {} : { rssBytes }),
        ...(rssGrowthBytes === undefined ? {} : { rssGrowthBytes }),
      }
    },
  }
}

function errorOf(outcome: Outcome, requestId: string, timeoutMs: number): FunctionErrorPayload | undefined {
  switch (outcome.kind) {
    case 'result':
      return undefined
    case 'timeout': {
      const errorMessage = `RequestId: ${requestId} Error: Task timed out after ${seconds(timeoutMs)} seconds`
      return { errorType: 'Sandbox.Timedout', errorMessage }
    }
    case 'crash': {
      // Errors of the sandbox have no stack and carry the request.
      const { error } = outcome
      return error.trace ? error : { ...error, errorMessage: `RequestId: ${requestId} ${error.errorMessage}` }
    }
    case 'error':
      return outcome.error
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2)
}

/** As Lambda's runtime for Node writes it; raw output keeps its form, without the line end. */
function formatLine({ level, text }: LogLine, requestId: string, at: number): string {
  if (level === undefined) return text.replace(/\r?\n$/, '')
  return `${new Date(at).toISOString()}\t${requestId}\t${level}\t${text}`
}
