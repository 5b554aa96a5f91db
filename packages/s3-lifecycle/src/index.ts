export {
  type Affected,
  type AffectedGroup,
  type AffectedObject,
  type ObjectCount,
  type WouldAffectOptions,
  wouldAffect,
} from './affected'
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
export type { LifecycleAction } from './decide'
export { LifecycleError, type LifecycleErrorDetails } from './errors'
export { type EvaluatorOptions, lifecycleEvaluator, type Verdict } from './evaluator'
export { expirationHeader } from './expiration-header'
export type { Evidence, Finding } from './finding'
export type { Versioning } from './key-state'
export { defineLifecycle, type LifecycleOptions, lifecycleRule, type NamedRule } from './rule'
export type {
  AgeTransition,
  DateTransition,
  LifecycleRuleOptions,
  NoncurrentActions,
  NoncurrentStep,
  UtcDate,
} from './rule-check'
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
