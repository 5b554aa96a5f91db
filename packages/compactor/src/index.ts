export type { BackfillOptions, BackfillResult } from './backfill'
export type { OverwrittenObject } from './chain'
export type { Outcome, WindowResult } from './compact-window'
export { type Compactor, type CompactorOptions, createCompactor, type WaitOptions } from './compactor'
export type { CostLimits, Estimate } from './cost'
export {
  batchColumn,
  type Compaction,
  type CompactionOptions,
  compactionDdl,
  defaultSweep,
  defineCompaction,
  type LatePolicy,
} from './define'
export { type AthenaEngineOptions, athenaEngine } from './engine/athena'
export { type ConvertOptions, type ConvertResult, convertFiles } from './engine/convert'
export type { CompactionProgress, Engine, EngineJob, EngineOutput, EngineResult, InputAccount, MergeJob } from './engine/engine'
export { type InProcessEngineOptions, inProcessEngine } from './engine/in-process'
export type { DuckDbLimits, WriterName } from './engine/parquet-writer'
export { SourceChangedError, VerificationError, WindowsFailedError } from './errors'
export type { Explanation } from './explain'
export { compactorHandler, type HandlerOptions } from './handler'
export {
  type LiveView,
  type LiveViewNames,
  liveViewDdl,
  liveViewSql,
  type RefreshLiveViewOptions,
  refreshLiveView,
} from './live-view'
export { type MetricsOptions, metricsOf } from './metrics'
export type { WindowPlan } from './plan-preview'
export type { Quarantine } from './quarantine'
export type { RollUpResult } from './roll-up'
export type { RunOptions, RunResult } from './run'
export type { UnplacedObject } from './select'
export type {
  Attempt,
  BatchMode,
  CommitRecord,
  CommittedInput,
  CommittedOutput,
  PlannedInput,
  PlanRecord,
  RollUpRecord,
} from './state'
export type { Discrepancy, VerificationReport } from './verify-window'
