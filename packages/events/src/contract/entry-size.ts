/** An entry of PutEvents, as far as its size goes. */
export interface SizedEntry {
  readonly Time?: Date
  readonly Source: string
  readonly DetailType: string
  readonly Detail: string
  readonly Resources?: readonly string[]
}

/**
 * Bytes of an entry as EventBridge counts them: 14 for a time, and the UTF-8 bytes of source, detail type, detail and each resource.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
 */
export function entryBytes({ Time, Source, DetailType, Detail, Resources = [] }: SizedEntry): number {
  const texts = [Source, DetailType, Detail, ...Resources]
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), Time === undefined ? 0 : 14)
}
