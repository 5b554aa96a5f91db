export { type ClockFaultKind, clockFaultKinds } from './clock-fault'
export { counter } from './counter-field'
export type { AnomalyOptions } from './device-anomaly'
export { encodeLog, generate } from './encode'
export type { EpisodeOptions } from './episode'
export { type DuplicateKind, duplicateKinds, type FaultOptions, type SchemaDrift } from './fault'
export { choice, emitTime, hexId, sequence, sometimesNull, tag } from './field'
export type { Field, RecordPlace } from './field-spec'
export { type CutGzip, type FileFaultKind, fileFaultKinds } from './file-fault'
export { toFile } from './file-sink'
export { type GeneratedWindow, type GenerateWindowOptions, generateWindow } from './generate-window'
export {
  type CatchUpOptions,
  type CaughtUp,
  catchUp,
  type GeneratedWindows,
  type GenerateWindowsOptions,
  generateWindows,
} from './generate-windows'
export {
  type DeviceTruth,
  type FileTruth,
  type GroundTruth,
  groundTruth,
  type InjectedFault,
  type MissingFile,
  readableRows,
  type TruthOptions,
} from './ground-truth'
export { type LogGeneratorHandler, type LogGeneratorOptions, logGeneratorHandler } from './handler'
export { ip } from './ip-field'
export { type KafkajsProducer, type MessageProducer, toKafka } from './kafka-sink'
export type { LineLayout } from './line-layout'
export type { Episode, LineFault, LogSource } from './lines'
export { defineLog, type FieldsOf, type Log, type LogOptions } from './log'
export type { LogCompression, LogFormat } from './log-format'
export { type MalformedKind, malformedKinds } from './malformed-kind'
export { decimalMeasure, type MeasureOptions, measure } from './measure'
export type { LogMessage } from './messages'
export { type MissingFilesOptions, type MissingKey, missingFiles } from './missing-files'
export { nested } from './nested-field'
export { own } from './own-field'
export { albLog } from './preset/alb'
export { cloudFrontLog } from './preset/cloud-front'
export type { LogPreset } from './preset/log-preset'
export { vpcFlowLog } from './preset/vpc-flow'
export type { Progress } from './progress'
export type { Rated } from './rated'
export type { FileRange, RawFile } from './raw-file'
export { type Replay, type ReplayOptions, replayCsv } from './replay-csv'
export { compareRows, type RowComparison } from './row-comparison'
export { createDigest, digestOf, type RowDigest, rowText } from './row-digest'
export { type RunCounts, type RunLogOptions, type RunReport, runLog } from './run-log'
export { toS3, toStore } from './s3-sink'
export type { Shard } from './shard'
export type { LogSink, RecordSink } from './sink'
export { toStdout } from './stdout-sink'
export { streamLog } from './stream-log'
export type { MeasureTruth } from './tally'
export { text } from './text-field'
export type { TruthPolicy } from './truth-policy'
