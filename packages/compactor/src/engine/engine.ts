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

/** A file as it was written. */
export interface EngineOutput {
  /** Relative to the target. */
  readonly key: string
  readonly etag: string
  readonly bytes: number
}

/** What an engine has written, all of it below the attempt's data prefix. */
export interface EngineResult {
  /** The Parquet files. Empty when no row is readable. */
  readonly outputs: readonly EngineOutput[]
  /** One account an input, in the order of the inputs. */
  readonly accounts: readonly InputAccount[]
  /** Rows left out as duplicates, counted apart from what was written. Absent: none. */
  readonly duplicateRows?: number | undefined
}

/** Committed files of a partition that are to become one. */
export interface MergeJob {
  readonly compaction: Compaction
  readonly attempt: Attempt
  /** Keys of Parquet files, relative to the target, with their ETags. */
  readonly inputs: readonly { readonly key: string; readonly etag: string; readonly bytes: number }[]
  readonly target: ObjectStore
  readonly signal: AbortSignal | undefined
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
  /**
   * What a batch is expected to take in Athena, and how often its objects are read. Absent: nothing, and once.
   */
  estimate?(batch: { readonly files: number; readonly bytes: number }): {
    readonly scannedBytes: number
    readonly statements: number
    readonly reads: number
  }
  /** Text of the statements that the engine would run for these inputs, without those that only the data can call for. */
  statementsFor?(job: Pick<EngineJob, 'compaction' | 'attempt' | 'inputs' | 'source' | 'target'>): readonly string[]
  /** @throws {@link ConfigError} when the engine cannot carry the columns of the table. */
  check(compaction: Compaction): void
  /** @throws {@link SourceChangedError} when an input is not what the plan says any more. */
  run(job: EngineJob): Promise<EngineResult>
  /**
   * Makes one Parquet file of several below the attempt's data prefix. Needed for roll-ups only.
   */
  merge?(job: MergeJob): Promise<readonly EngineOutput[]>
  /** Statements run so far, in all jobs. */
  readonly statements: number
}
