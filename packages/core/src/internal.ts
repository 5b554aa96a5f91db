// For sister packages only: no promise of stability.
export { type AwsClient, checkClient, environmentConfig, type HeldClient, holdClient } from './aws-client'
export { type DeniedDetails, deniedError, isAccessDenied } from './iam-error'

export { type DecodedBytes, type DecodeFault, gunzipBytes, gzipBytes, packingOf } from './format/compression'
export { type Line, splitLines } from './format/lines'
export { rowEncoder, rowReader } from './format/ndjson'
export { checkIdentifier } from './identifier'
export { deadlineOf, type HandlerResponse, type LambdaContext, scheduledTimeOf } from './lambda'
export { checkOptions } from './options'
export { type ProducerStamp, stampMetadata, stampOf } from './producer-stamp'
export { unreadableRow } from './quarantine'
export { isDateText, isDecimalText } from './schema'
export { jsonText } from './value-text'
