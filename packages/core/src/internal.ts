// For sister packages only: no promise of stability.
export { checkIdentifier } from './identifier'
export { deadlineOf, type HandlerResponse, type LambdaContext, scheduledTimeOf } from './lambda'
export { checkOptions } from './options'
export { type ProducerStamp, stampMetadata, stampOf } from './producer-stamp'
export { isDateText, isDecimalText } from './schema'
