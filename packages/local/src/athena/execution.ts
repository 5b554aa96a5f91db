import type { Principal } from '../service'
import type { AthenaFailure } from './query-engine'
import type { S3Location } from './s3-location'
import type { Statement, StatementClass } from './statement'
import type { StatementOutcome } from './statement-context'

export type ExecutionState = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED'

/** What StartQueryExecution was asked, after validation. */
export interface ExecutionRequest {
  readonly query: string
  readonly parameters: readonly string[]
  readonly token: string | undefined
  readonly catalog: string | undefined
  readonly database: string | undefined
  readonly workgroup: string
  readonly output: S3Location
  readonly outputEnforced: boolean
  readonly maxScannedBytes: number | undefined
  /** Set when a previous result may be reused. */
  readonly reuseMaxAgeMs: number | undefined
  readonly principal: Principal
}

/** One query execution. Its changing part is written by `executions.ts` only. */
export interface Execution {
  readonly id: string
  readonly request: ExecutionRequest
  /** The parsed statement, or why it could not be parsed. */
  readonly statement: Statement | AthenaFailure
  readonly class: StatementClass
  /** `s3://…/<id>.csv` */
  readonly outputPath: string
  /** Milliseconds by the clock of the runtime. */
  readonly submittedAt: number
  state: ExecutionState
  reason: string | undefined
  completedAt: number | undefined
  failure: AthenaFailure | undefined
  outcome: StatementOutcome | undefined
  /** Whose result this one has instead of one of its own. */
  reusedFrom: Execution | undefined
  /** Known once the statement is compiled; also of a query that was cancelled because it would scan too much. */
  scannedBytes: number
  /** Real milliseconds. */
  queuedMs: number
  runningMs: number
}

export const isFinal = (state: ExecutionState): boolean => state !== 'QUEUED' && state !== 'RUNNING'
