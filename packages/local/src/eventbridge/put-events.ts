import { randomUUID } from 'node:crypto'
import { entryBytes } from '@pipe/events'
import { type Authorizer, localAccount, localRegion, type Principal } from '../service'
import type { BusRouter } from './bus-router'
import { type Input, listOf, refuseUnknown, textOf, validationError } from './request-input'
import { busArn, type Rule, type RuleStore, type RuleTarget } from './rule-store'
import type { EventCounter } from './totals'

/** What PutEvents works with. */
export interface PutEventsOptions {
  readonly store: RuleStore
  readonly router: BusRouter
  readonly authorizer: Authorizer
  readonly counter: EventCounter
  now(): number
  /** @param text the event as JSON, with all digits of its numbers. */
  deliver(rule: Rule, target: RuleTarget, event: object, text: string): void
}

const members = ['Time', 'Source', 'Resources', 'DetailType', 'Detail', 'EventBusName', 'TraceHeader']
const maxRequestBytes = 1_048_576

interface Refused {
  readonly ErrorCode: string
  readonly ErrorMessage: string
}

/**
 * PutEvents: each entry is answered by itself. An entry for a bus that does not exist gets an id and is forgotten, as on AWS.
 *
 * @throws AwsError ValidationException for the request as a whole.
 */
export function putEvents(input: Input, principal: Principal, options: PutEventsOptions): object {
  refuseUnknown('PutEvents', input, ['Entries'])
  const entries = listOf(input, 'Entries', 10) as readonly Input[]
  for (const entry of entries) refuseUnknown('PutEvents, Entries', entry, members)
  const bytes = entries.reduce((sum, entry) => sum + bytesOf(entry), 0)
  if (bytes > maxRequestBytes) {
    throw validationError(`Total size of the entries in the request is over the limit: ${bytes} of ${maxRequestBytes} bytes.`)
  }
  const checked = entries.map(checkEntry)
  // One entry that is not allowed refuses the whole request.
  for (const entry of checked) {
    if ('ErrorCode' in entry) continue
    const context = { 'events:source': entry.source, 'events:detail-type': entry.detailType }
    options.authorizer.authorize(principal, 'events:PutEvents', busArn(entry.bus), context)
  }
  const answers = checked.map((entry) => ('ErrorCode' in entry ? entry : { EventId: publish(entry, options) }))
  return { FailedEntryCount: answers.filter((answer) => 'ErrorCode' in answer).length, Entries: answers }
}

function bytesOf(entry: Input): number {
  const text = (name: string) => (typeof entry[name] === 'string' ? (entry[name] as string) : '')
  const Resources = Array.isArray(entry['Resources']) ? entry['Resources'].map(String) : []
  const Time = entry['Time'] === undefined || entry['Time'] === null ? {} : { Time: new Date() }
  return entryBytes({ Source: text('Source'), DetailType: text('DetailType'), Detail: text('Detail'), Resources, ...Time })
}

/** Routes an event of a bus to the targets of the rules that it matches. @returns its id. */
export function publish(
  entry: CheckedEntry,
  { store, router, counter, now, deliver }: Omit<PutEventsOptions, 'authorizer'>,
): string {
  const id = randomUUID()
  if (!store.bus(entry.bus)) {
    counter.count('unknownBus')
    return id
  }
  counter.count('published')
  const envelope = {
    version: '0',
    id,
    'detail-type': entry.detailType,
    source: entry.source,
    account: localAccount,
    time: timeText(entry.time ?? now()),
    region: localRegion,
    resources: entry.resources,
  }
  const text = `${JSON.stringify(envelope).slice(0, -1)},"detail":${entry.detail}}`
  const event = { ...envelope, detail: JSON.parse(entry.detail) as unknown }
  for (const rule of router.matching(entry.bus, text)) for (const target of rule.targets) deliver(rule, target, event, text)
  return id
}

/** An event that may be published. */
export interface CheckedEntry {
  readonly source: string
  readonly detailType: string
  readonly detail: string
  readonly bus: string
  /** Milliseconds. */
  readonly time: number | undefined
  readonly resources: readonly string[]
}

function checkEntry(entry: Input): CheckedEntry | Refused {
  const [source, detailType, detail] = [textOf(entry, 'Source'), textOf(entry, 'DetailType'), textOf(entry, 'Detail')]
  for (const [name, value] of Object.entries({ Source: source, DetailType: detailType, Detail: detail })) {
    if (value !== undefined && value !== '') continue
    return {
      ErrorCode: 'InvalidArgument',
      ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
    }
  }
  if (source!.startsWith('aws.'))
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' }
  if (!isObject(detail!)) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' }
  const bus = (textOf(entry, 'EventBusName') ?? 'default').replace(/^arn:aws:events:[^:]*:\d*:event-bus\//, '')
  const resources = Array.isArray(entry['Resources']) ? entry['Resources'].map(String) : []
  return { source: source!, detailType: detailType!, detail: detail!, bus, time: timeOf(entry['Time']), resources }
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    // No JSON: the entry is answered so.
    return false
  }
}

/** Seconds since the epoch, or ISO 8601. */
function timeOf(given: unknown): number | undefined {
  if (given === undefined || given === null) return undefined
  const at = typeof given === 'number' ? given * 1000 : Date.parse(String(given))
  if (!Number.isFinite(at)) throw validationError(`Time ${JSON.stringify(given)} is no time.`)
  return at
}

/** Whole seconds, as EventBridge writes them. */
function timeText(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z')
}
