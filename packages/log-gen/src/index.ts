export { encodeLog, generate } from './encode'
export { type CutGzip, type FaultOptions, type MalformedKind, malformedKinds } from './fault'
export {
  choice,
  decimalMeasure,
  emitTime,
  type Field,
  hexId,
  type MeasureOptions,
  measure,
  sequence,
  sometimesNull,
  tag,
} from './field'
export { toFile } from './file-sink'
export { type GeneratedWindow, type GenerateWindowOptions, generateWindow } from './generate-window'
export {
  type DeviceTruth,
  type FileTruth,
  type GroundTruth,
  groundTruth,
  type InjectedFault,
  type MeasureTruth,
  readableRows,
} from './ground-truth'
export { type LogGeneratorHandler, logGeneratorHandler } from './handler'
export type { LogFormat, LogSource } from './lines'
export { defineLog, type FieldsOf, type Log, type LogOptions } from './log'
export type { FileRange, RawFile } from './raw-file'
export { type Replay, type ReplayOptions, replayCsv } from './replay-csv'
export { compareRows, type RowComparison } from './row-comparison'
export { createDigest, digestOf, type RowDigest, rowText } from './row-digest'
export { toS3, toStore } from './s3-sink'
export type { LogSink } from './sink'
