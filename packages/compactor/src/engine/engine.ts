import type { Athena } from '@pipe/athena-query'
import type { ObjectStore } from '@pipe/core'
import type { Compaction } from '../define'
import type { Quarantine } from '../quarantine'
import type { Attempt, PlannedInput } from '../state'

/** What a run reports while it works. */
export interface CompactionProgress {
  readonly phase: 'select' | 'plan' | 'fetch' | 'convert' | 'query' | 'upload' | 'verify' | 'commit' | 'publish'
  /** Id of the window; absent while several are looked at. */
  readonly window?: string | undefined
  readonly done: number
  readonly total?: number | undefined
  readonly unit: 'files' | 'windows' | 'statements' | 'bytes'
}

/** One attempt at a plan, as an engine gets it. */
export interface EngineJob {
  readonly compaction: Compaction
  readonly attempt: Attempt
  /** In the order in which the rows are to stand. */
  readonly inputs: readonly PlannedInput[]
  readonly source: ObjectStore
  readonly target: ObjectStore
  /** Takes every row that cannot be read. */
  readonly quarantine: Quarantine
  readonly signal: AbortSignal | undefined
  onProgress(progress: Omit<CompactionProgress, 'window'>): void
}

/** What an engine made of an input. */
export interface InputAccount {
  /** Key of the input. */
  readonly key: string
  /** Rows to account for: lines of the file, or the stamped number when that is larger. */
  readonly rows: number
  readonly quarantinedRows: number
}

/** What an engine has written, all of it below the attempt's data prefix. */
export interface EngineResult {
  /** Keys of the Parquet files, relative to the target. Empty when no row is readable. */
  readonly outputs: readonly string[]
  /** One account an input, in the order of the inputs. */
  readonly accounts: readonly InputAccount[]
}

/**
 * Turns the inputs of a plan into one Parquet file. An engine writes only below the places of its attempt, and commits nothing: whatever it
 * leaves behind is invisible until the compactor has verified and committed it.
 */
export interface Engine {
  readonly name: string
  /** Whether the plan should carry the producers' row counts, because the engine does not read the objects itself. */
  readonly needsStamps: boolean
  /** The client through which results are published, when the engine has one. */
  readonly athena?: Athena | undefined
  /** @throws {@link ConfigError} when the engine cannot carry the columns of the table. */
  check(compaction: Compaction): void
  /** @throws {@link SourceChangedError} when an input is not what the plan says any more. */
  run(job: EngineJob): Promise<EngineResult>
  /** Statements run so far, in all jobs. */
  readonly statements: number
}
