import { AwsError } from '../../service'
import { malformedXml } from '../xml'
import { dayMs } from './calendar'
import type { ExpirationDocument, FilterDocument, LifecycleDocument, NoncurrentDocument, RuleDocument } from './document'
import { mayFall } from './storage-classes'

const maxRules = 1000
const maxSize = 1_099_511_627_776_000
const maxDays = 2 ** 31 - 1

/**
 * What S3 does not take although its schema does (API reference, user guide, answers recorded by others); the first mistake is the answer. What stands in
 * no source is taken.
 *
 * @throws {@link AwsError} InvalidArgument, InvalidRequest, InvalidTag, MalformedXML
 */
export function checkLifecycle({ Rule: rules }: Pick<LifecycleDocument, 'Rule'>): void {
  if (rules.length > maxRules) {
    throw new AwsError('InvalidRequest', `The number of lifecycle rules must not exceed the allowed limit of ${maxRules} rules.`)
  }
  checkIds(rules)
  for (const rule of rules) if (rule.Filter === undefined && rule.Prefix === undefined) throw malformedXml()
  checkGeneration(rules)
  for (const rule of rules) checkRule(rule)
}

function checkIds(rules: readonly RuleDocument[]): void {
  const seen = new Set<string>()
  for (const { ID } of rules) {
    if (ID === undefined || ID === '') continue
    if (ID.length > 255) throw new AwsError('InvalidArgument', 'ID length should not exceed allowed limit of 255')
    if (seen.has(ID)) throw new AwsError('InvalidArgument', 'Rule ID must be unique. Found same ID for more than one rule')
    seen.add(ID)
  }
}

// A prefix on the rule itself makes all rules ones of the first generation, a filter of the second: the first rule decides.
function checkGeneration(rules: readonly RuleDocument[]): void {
  if (rules[0]!.Filter !== undefined) {
    if (rules.every(({ Prefix }) => Prefix === undefined)) return
    throw invalid('Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.')
  }
  if (rules.some(({ Filter }) => Filter !== undefined)) throw invalid('Filter element can only be used in Lifecycle V2.')
  for (const { NoncurrentVersionExpiration: expiration, NoncurrentVersionTransition: steps = [] } of rules) {
    if ([expiration, ...steps].some((action) => action?.NewerNoncurrentVersions !== undefined))
      throw invalid('NewerNoncurrentVersions element can only be used in Lifecycle V2.')
  }
  checkOverlaps(rules)
}

const actions = [
  'Expiration',
  'Transition',
  'NoncurrentVersionTransition',
  'NoncurrentVersionExpiration',
  'AbortIncompleteMultipartUpload',
] as const

function checkOverlaps(rules: readonly RuleDocument[]): void {
  for (const action of actions) {
    const prefixes = rules.filter((rule) => rule[action] !== undefined).map(({ Prefix = '' }) => Prefix)
    for (const [i, a] of prefixes.entries()) {
      for (const b of prefixes.slice(i + 1)) {
        const [outer, inner] = a.length <= b.length ? [a, b] : [b, a]
        if (inner === outer) throw invalid(`Found two rules with same prefix '${inner}'`)
        if (inner.startsWith(outer))
          throw invalid(`Found overlapping prefixes '${outer}' and '${inner}' for same action type '${action}'`)
      }
    }
  }
}

function checkRule(rule: RuleDocument): void {
  if (rule.Prefix !== undefined) checkPrefix(rule.Prefix)
  if (rule.Filter) checkFilter(rule.Filter)
  if (actions.every((action) => rule[action] === undefined || (rule[action] as { length?: number }).length === 0))
    throw invalid('At least one action needs to be specified in a rule')
  const where = whereOf(rule)
  checkSteps('Transition', rule.Transition ?? [], where)
  if (rule.Expiration) checkExpiration(rule.Expiration, rule.Filter ?? {})
  checkOneClock(rule, where)
  checkLast('Expiration', rule.Expiration, 'Transition', rule.Transition ?? [], where)
  checkNoncurrent(rule, where)
  const abort = rule.AbortIncompleteMultipartUpload
  if (abort) {
    checkPlain('AbortIncompleteMultipartUpload', rule.Filter ?? {})
    checkDays(abort.DaysAfterInitiation, 1, "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action")
  }
}

function checkPrefix(prefix: string): void {
  if (Buffer.byteLength(prefix) > 1024) throw invalid('The maximum size of a prefix is 1024')
}

function checkFilter(filter: FilterDocument): void {
  if (Object.keys(filter).length > 1) throw malformedXml()
  const { Prefix, Tag, And } = filter
  if (Prefix !== undefined) checkPrefix(Prefix)
  if (Tag) checkTag(Tag)
  checkSizes(filter)
  if (!And) return
  if (And.Prefix !== undefined) checkPrefix(And.Prefix)
  const tags = And.Tag ?? []
  for (const tag of tags) checkTag(tag)
  if (new Set(tags.map(({ Key }) => Key)).size < tags.length) throw invalid('Duplicate Tag Keys are not allowed.')
  checkSizes(And)
  if (Object.keys({ ...And, Tag: undefined }).length - 1 + tags.length < 2) throw malformedXml()
}

function checkTag({ Key, Value }: { readonly Key: string; readonly Value: string }): void {
  if (Key === '' || Key.length > 128) throw new AwsError('InvalidTag', 'The TagKey you have provided is invalid')
  if (Value.length > 256) throw new AwsError('InvalidTag', 'The TagValue you have provided is invalid')
}

function checkSizes(part: Pick<FilterDocument, 'ObjectSizeGreaterThan' | 'ObjectSizeLessThan'>): void {
  const { ObjectSizeGreaterThan: above, ObjectSizeLessThan: below } = part
  if (above !== undefined && (above < 0 || above > maxSize))
    throw invalid(`'ObjectSizeGreaterThan' should be between 0 and ${maxSize}.`)
  if (below !== undefined && (below < 1 || below > maxSize))
    throw invalid(`'ObjectSizeLessThan' should be between 1 and ${maxSize}.`)
  if (above !== undefined && below !== undefined && below <= above)
    throw invalid("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")
}

/** How S3's answers name the scope of a rule. */
function whereOf({ Prefix, Filter }: RuleDocument): string {
  if (Filter === undefined) return `prefix '${Prefix ?? ''}'`
  const prefix = Filter.Prefix ?? Filter.And?.Prefix
  return prefix === undefined ? "filter '()'" : `filter '(prefix=${prefix})'`
}

interface Step {
  readonly Date?: string
  readonly Days?: number
  readonly NoncurrentDays?: number
  readonly StorageClass?: string
}

type Clock = 'Date' | 'Days' | 'NoncurrentDays'

const clockOf = (step: Step): Clock => (step.Date !== undefined ? 'Date' : step.Days !== undefined ? 'Days' : 'NoncurrentDays')

const timeOf = (step: Step) => (step.Date === undefined ? (step.Days ?? step.NoncurrentDays)! : Date.parse(step.Date))

function checkSteps(action: string, steps: readonly Step[], where: string): void {
  for (const step of steps) {
    if ([step.Date, step.Days, step.NoncurrentDays].filter((one) => one !== undefined).length !== 1) throw malformedXml()
    if (step.Date !== undefined) checkMidnight(step.Date)
    else checkDays(timeOf(step), 0, `'${clockOf(step)}' in ${action} action`)
  }
  if (new Set(steps.map(({ StorageClass }) => StorageClass)).size < steps.length)
    throw invalid(`'StorageClass' must be different for '${action}' actions in same 'Rule' with ${where}`)
  for (const colder of steps) {
    for (const warmer of steps) {
      const clock = clockOf(colder)
      if (clockOf(warmer) !== clock || !mayFall(warmer.StorageClass!, colder.StorageClass!) || timeOf(colder) > timeOf(warmer))
        continue
      const of = (step: Step) => `'${clock}' in the '${action}' action for StorageClass '${step.StorageClass}' for ${where}`
      throw new AwsError('InvalidArgument', `${of(colder)} must be greater than ${of(warmer)}`)
    }
  }
}

function checkMidnight(date: string): void {
  if (Date.parse(date) % dayMs !== 0) throw new AwsError('InvalidArgument', "'Date' must be at midnight GMT")
}

function checkDays(days: number, least: 0 | 1, what: string): void {
  if (days > maxDays) throw malformedXml()
  if (days < least) throw new AwsError('InvalidArgument', `${what} must be ${least === 0 ? 'nonnegative' : 'a positive integer'}`)
}

function checkExpiration(expiration: ExpirationDocument, filter: FilterDocument): void {
  if (Object.keys(expiration).length !== 1) throw malformedXml()
  const { Date: date, Days, ExpiredObjectDeleteMarker } = expiration
  if (date !== undefined) checkMidnight(date)
  if (Days !== undefined) checkDays(Days, 1, "'Days' for Expiration action")
  if (ExpiredObjectDeleteMarker !== undefined) checkPlain('ExpiredObjectDeleteMarker', filter)
}

// Uploads and delete markers have neither tags nor a size.
function checkPlain(action: string, { And, ...filter }: FilterDocument): void {
  if (filter.Tag || (And?.Tag?.length ?? 0) > 0) throw invalid(`${action} cannot be specified with Tags.`)
  const sizes = [filter, And ?? {}].flatMap(({ ObjectSizeGreaterThan, ObjectSizeLessThan }) => [
    ObjectSizeGreaterThan,
    ObjectSizeLessThan,
  ])
  if (sizes.some((size) => size !== undefined)) throw invalid(`${action} cannot be specified with Object Size.`)
}

function checkOneClock({ Transition = [], Expiration: expiration }: RuleDocument, where: string): void {
  const clocks = new Set(Transition.map(clockOf))
  if (clocks.size > 1) throw invalid(`Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule for ${where}`)
  if (!expiration || expiration.ExpiredObjectDeleteMarker !== undefined || clocks.size === 0) return
  if (!clocks.has(clockOf(expiration)))
    throw invalid(`Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for ${where}`)
}

/** Nothing moves after it is gone. */
function checkLast(action: string, end: Step | undefined, before: string, steps: readonly Step[], where: string): void {
  if (end === undefined || 'ExpiredObjectDeleteMarker' in end) return
  const clock = clockOf(end)
  if (steps.every((step) => clockOf(step) !== clock || timeOf(step) < timeOf(end))) return
  const text = `'${clock}' in the ${action} action for ${where} must be ${clock === 'Date' ? 'later' : 'greater'} than '${clock}' in the ${before} action`
  throw new AwsError('InvalidArgument', text)
}

function checkNoncurrent(rule: RuleDocument, where: string): void {
  const { NoncurrentVersionTransition: steps = [], NoncurrentVersionExpiration: expiration } = rule
  for (const step of steps) checkNewer(step)
  checkSteps('NoncurrentVersionTransition', steps, where)
  if (!expiration) return
  checkNewer(expiration)
  checkDays(expiration.NoncurrentDays, 1, "'NoncurrentDays' for NoncurrentVersionExpiration action")
  checkLast('NoncurrentVersionExpiration', expiration, 'NoncurrentVersionTransition', steps, where)
}

function checkNewer({ NewerNoncurrentVersions: newer }: NoncurrentDocument): void {
  if (newer === undefined) return
  if (newer > maxDays) throw malformedXml()
  if (newer < 1) throw new AwsError('InvalidArgument', "'NewerNoncurrentVersions' must be a positive integer")
  if (newer > 100) throw new AwsError('InvalidArgument', "'NewerNoncurrentVersions' must not exceed 100")
}

function invalid(text: string): AwsError {
  return new AwsError('InvalidRequest', text)
}
