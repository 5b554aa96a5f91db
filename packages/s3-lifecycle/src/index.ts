export {
  type Affected,
  type AffectedGroup,
  type AffectedObject,
  type ObjectCount,
  type WouldAffectOptions,
  wouldAffect,
} from './affected'
export { type AppliedLifecycle, type ApplyLifecycleOptions, applyLifecycle } from './apply'
export type { MonthBill, Reading } from './bill'
export { type BreakEven, type BreakEvenOptions, breakEven } from './break-even'
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
