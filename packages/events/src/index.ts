export {
  createIdempotency,
  type Idempotency,
  type IdempotencyOptions,
  type Once,
  type OnceOptions,
  type RecordStore,
} from './adapter/idempotency'
export type { DeadlineOptions, HandlerContext, LambdaContext } from './adapter/invocation'
export { type EventContext, type EventHandler, type OnEventOptions, onEvent } from './adapter/on-event'
export { type HttpAnswer, type HttpContext, type HttpHandler, type OnHttpOptions, onHttp } from './adapter/on-http'
export {
  type DecodedTopic,
  type KafkaBatchResponse,
  type KafkaContext,
  type KafkaHandler,
  type KafkaItemFailure,
  type KafkaRecordPlace,
  type OnKafkaOptions,
  onKafka,
  type RawKafkaRecord,
} from './adapter/on-kafka'
export { type OnS3Options, onS3, type S3Handler, type S3ObjectEvent } from './adapter/on-s3'
export {
  type OnScheduleOptions,
  onSchedule,
  type ScheduleAnswer,
  type ScheduleContext,
  type ScheduleHandler,
} from './adapter/on-schedule'
export {
  type OnSqsOptions,
  onSqs,
  type SqsBatchResponse,
  type SqsHandler,
  type SqsMessage,
} from './adapter/on-sqs'
export {
  type AthenaQueryStateDetail,
  awsEvents,
  type CodeCommitReferenceDetail,
  type S3EventDetail,
} from './contract/aws-events'
export {
  type Bus,
  type BusOptions,
  createBus,
  type Published,
  type PublishedMany,
  type PublishManyOptions,
  type PublishOptions,
  type RefusedEntry,
} from './contract/bus'
export {
  type BusEvent,
  type ContractIssue,
  type DefineEventOptions,
  type DetailOf,
  defineEvent,
  type EventContract,
} from './contract/contract'
export { entryBytes, type SizedEntry } from './contract/entry-size'
export { type JsonSchema, type ObjectOf, type OptionalShape, type Shape, type ShapeOf, shape } from './contract/shape'
export type { Cron, CronDays } from './cron'
export { type FireTimesOptions, fireTimes, type NextFireTimesOptions, nextFireTimes, previousFireTime } from './fire-times'
export {
  type ContractPattern,
  type EventPattern,
  eventPattern,
  type LeafEntry,
  type NumericBounds,
  type ObjectPattern,
  type OneOrMore,
} from './pattern/event-pattern'
export type { EventInput } from './pattern/event-source'
export { explainMatch, type FieldVerdict, type MatchExplanation } from './pattern/explain'
export { type CompiledPattern, compilePattern, matchesPattern } from './pattern/match'
export { type RuleReview, reviewRules, whyNever } from './pattern/never-matches'
export type { PatternInput } from './pattern/parse-pattern'
export type { PatternErrorDetails } from './pattern/pattern-error'
export { createRuleIndex, type PatternRule, type RuleIndex } from './pattern/rule-index'
export { type AppliedRules, type ApplyRulesOptions, applyRules } from './rule/apply-rules'
export { type PlanRulesOptions, planRules, type RuleCall, type RuleChange, type RulePlan } from './rule/plan-rules'
export type { RuleSpec, TargetSpec } from './rule/rule-spec'
export { defineSchedule, type NamedSchedule, parseSchedule, type Schedule, type ScheduleExpression } from './schedule'
export type { ScheduleErrorDetails } from './schedule-error'
export { type ScheduledEvent, type ScheduledEventParts, scheduledEvent } from './scheduled-event'
