export {
  type Affected,
  type AffectedGroup,
  type AffectedObject,
  type ObjectCount,
  type WouldAffectOptions,
  wouldAffect,
} from './affected'
export { type AppliedLifecycle, type ApplyLifecycleOptions, applyLifecycle } from './apply'
export { type ArchivedPartition, archivedPartitions } from './archived-partitions'
export { type BackfillJob, type BackfillJobOptions, backfillJob } from './backfill'
export type { MonthBill, Reading } from './bill'
export { type BreakEven, type BreakEvenOptions, breakEven } from './break-even'
export { chartSvg, chartText } from './chart'
export {
  type AppliedClassChange,
  type ApplyClassChangeOptions,
  applyClassChange,
  type ClassChangePlan,
  type PlanClassChangeOptions,
  planClassChange,
} from './class-change'
export { type ClassPoint, type ClassTimelineOptions, classTimeline } from './class-timeline'
export type {
  FilterAnd,
  LifecycleConfiguration,
  LifecycleRule,
  RuleExpiration,
  RuleFilter,
  RuleNoncurrentExpiration,
  RuleNoncurrentTransition,
  RuleTransition,
  Tag,
} from './configuration'
export { type CostEstimate, type CostTotals, type EstimateCostOptions, estimateCost } from './cost'
export type { LifecycleAction } from './decide'
export { LifecycleError, type LifecycleErrorDetails } from './errors'
export { type EvaluatorOptions, lifecycleEvaluator, type Verdict } from './evaluator'
export { expirationHeader } from './expiration-header'
export type { Evidence, Finding } from './finding'
export { type ReadInventoryOptions, readInventory } from './inventory'
export type { Versioning } from './key-state'
export { type ListBucketOptions, listBucket } from './listing'
export { type LifecyclePlan, type PlanLifecycleOptions, planLifecycle, type RuleChange } from './plan'
export type { PlanCost } from './plan-cost'
export { formatPlan } from './plan-text'
export { type Population, populationsOf } from './population'
export {
  type ClassPrices,
  checkPrices,
  type PricedClass,
  type PriceList,
  type RestoreTier,
  readPrices,
  usEast1Prices,
} from './prices'
export type { PlanRefusal, ProtectedPrefix } from './protected'
export {
  defineReplication,
  type Replication,
  type ReplicationDestination,
  type ReplicationDocument,
  type ReplicationExclusion,
  type ReplicationRule,
  type ReplicationRuleOptions,
  replicationDocument,
  replicationRule,
} from './replication'
export {
  type DiagnoseReplicationOptions,
  diagnoseReplication,
  type ReplicationDiagnosis,
  type ReplicationFinding,
} from './replication-doctor'
export { type ReplicationFailureFix, replicationFailureFix } from './replication-failure'
export { applyReplication, type PlanReplicationOptions, planReplication, type ReplicationPlan } from './replication-plan'
export {
  type PolicyDocument,
  type PolicyStatement,
  type ReplicationPolicies,
  type ReplicationPoliciesOptions,
  replicationPolicies,
} from './replication-policy'
export {
  type AppliedRestore,
  type ApplyRestoreOptions,
  applyRestore,
  type PlanRestoreOptions,
  planRestore,
  type RestorePlan,
  type WaitForRestoreOptions,
  waitForRestore,
} from './restore'
export { defineLifecycle, type LifecycleOptions, lifecycleRule, type NamedRule } from './rule'
export type {
  AgeTransition,
  DateTransition,
  LifecycleRuleOptions,
  NoncurrentActions,
  NoncurrentStep,
  UtcDate,
} from './rule-check'
export type { S3Options } from './s3-call'
export { keyPrefix, type Mistake, type Scope, type ScopeFilter, wholeBucket } from './scope'
export {
  type KeyOutcome,
  type LifecycleEvent,
  type SimulateOptions,
  simulateLifecycle,
  simulateUploads,
  type UploadOutcome,
  type VersionAtEnd,
} from './simulate'
export type { Stay } from './stays'
export {
  canTransition,
  type MinimumSizeMode,
  type ObjectClass,
  type TransitionClass,
  transitionClasses,
  type Waterfall,
} from './storage-class'
export type { PendingUpload, ReplicationStatus, StoredObject } from './stored-object'
export { type ValidateOptions, validateLifecycle } from './validate'
