import { checkKeys, type Findings, isObject, malformed, sources } from './finding'

/** What else but the key a rule looks at. */
export interface ScopeTraits {
  readonly hasTags: boolean
  readonly hasSizes: boolean
}

/** Largest size in a filter, as S3's own text names it (the user guide still says 5 TB). */
const maxSizeBytes = 1_099_511_627_776_000

const predicates = ['Prefix', 'Tag', 'ObjectSizeGreaterThan', 'ObjectSizeLessThan', 'And']

/** Checks the scope of a rule: a filter, or the rule-level prefix of version 1. */
export function checkFilter(findings: Findings, path: string, rule: Record<string, unknown>): ScopeTraits {
  const { Filter: filter, Prefix: prefix } = rule
  if (filter === undefined && prefix === undefined) {
    findings.error(path, 'MalformedXML', malformed, 'recorded', `${sources.localstack}: Filter or Prefix is required`)
    return { hasTags: false, hasSizes: false }
  }
  if (prefix !== undefined) checkPrefix(findings, `${path}.Prefix`, prefix)
  if (filter === undefined) return { hasTags: false, hasSizes: false }
  const at = `${path}.Filter`
  if (!isObject(filter)) {
    findings.error(at, 'MalformedXML', malformed, 'documented', sources.api)
    return { hasTags: false, hasSizes: false }
  }
  checkKeys(findings, at, filter, predicates)
  const given = predicates.filter((name) => filter[name] !== undefined)
  if (given.length > 1) {
    const source = `${sources.localstack}: several predicates must stand in And`
    findings.error(at, 'MalformedXML', malformed, 'recorded', source)
  }
  if (filter['Prefix'] !== undefined) checkPrefix(findings, `${at}.Prefix`, filter['Prefix'])
  if (filter['Tag'] !== undefined) checkTag(findings, `${at}.Tag`, filter['Tag'])
  checkSizes(findings, at, filter)
  const and = filter['And']
  if (and !== undefined) checkAnd(findings, `${at}.And`, and)
  const own = [filter, isObject(and) ? and : {}]
  return {
    hasTags: own.some((part) => part['Tag'] !== undefined || (Array.isArray(part['Tags']) && part['Tags'].length > 0)),
    hasSizes: own.some((part) => part['ObjectSizeGreaterThan'] !== undefined || part['ObjectSizeLessThan'] !== undefined),
  }
}

function checkPrefix(findings: Findings, path: string, prefix: unknown): void {
  if (typeof prefix !== 'string') findings.error(path, 'MalformedXML', malformed, 'documented', sources.api)
  else if (Buffer.byteLength(prefix) > 1024) {
    findings.error(
      path,
      'InvalidRequest',
      'The maximum size of a prefix is 1024',
      'recorded',
      'observed in 2026; a key has at most 1 024 bytes',
    )
  }
}

function checkTag(findings: Findings, path: string, tag: unknown): void {
  if (!isObject(tag) || typeof tag['Key'] !== 'string' || typeof (tag['Value'] ?? '') !== 'string') {
    findings.error(path, 'MalformedXML', malformed, 'documented', sources.api)
    return
  }
  checkKeys(findings, path, tag, ['Key', 'Value'])
  if (tag['Key'] === '' || tag['Key'].length > 128)
    findings.error(
      `${path}.Key`,
      'InvalidTag',
      'The TagKey you have provided is invalid',
      'inferred',
      'S3 API reference, Tag: 1 to 128 characters',
    )
  if (((tag['Value'] as string | undefined) ?? '').length > 256)
    findings.error(
      `${path}.Value`,
      'InvalidTag',
      'The TagValue you have provided is invalid',
      'inferred',
      'S3 API reference, Tag: at most 256 characters',
    )
  if (tag['Value'] === undefined)
    findings.warning(
      `${path}.Value`,
      'EmptyTagValue',
      'A tag without a value matches only objects whose tag has an empty value',
      sources.filters,
    )
}

function checkSizes(findings: Findings, path: string, part: Record<string, unknown>): void {
  const { ObjectSizeGreaterThan: greater, ObjectSizeLessThan: less } = part
  for (const [name, value, least] of [
    ['ObjectSizeGreaterThan', greater, 0],
    ['ObjectSizeLessThan', less, 1],
  ] as const) {
    if (value === undefined) continue
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      findings.error(`${path}.${name}`, 'MalformedXML', malformed, 'inferred', `${sources.api}: a 64-bit integer`)
    } else if (value < least || value > maxSizeBytes) {
      const text = `'${name}' should be between ${least} and ${maxSizeBytes}.`
      findings.error(`${path}.${name}`, 'InvalidRequest', text, 'recorded', 'terraform-provider-aws #41521, 2025')
    }
  }
  if (typeof greater === 'number' && typeof less === 'number' && greater >= less) {
    const text = "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'."
    findings.error(`${path}.ObjectSizeLessThan`, 'InvalidRequest', text, 'recorded', 'CloudFormation, 2026')
  }
}

function checkAnd(findings: Findings, path: string, and: unknown): void {
  if (!isObject(and)) {
    findings.error(path, 'MalformedXML', malformed, 'documented', sources.api)
    return
  }
  checkKeys(findings, path, and, ['Prefix', 'Tags', 'ObjectSizeGreaterThan', 'ObjectSizeLessThan'])
  if (and['Prefix'] !== undefined) checkPrefix(findings, `${path}.Prefix`, and['Prefix'])
  const tags = and['Tags']
  if (tags !== undefined && !Array.isArray(tags))
    findings.error(`${path}.Tags`, 'MalformedXML', malformed, 'documented', sources.api)
  const list: readonly unknown[] = Array.isArray(tags) ? tags : []
  for (const [i, tag] of list.entries()) checkTag(findings, `${path}.Tags[${i}]`, tag)
  const keys = list.map((tag) => (isObject(tag) ? tag['Key'] : undefined))
  const twice = keys.findIndex((key, i) => key !== undefined && keys.indexOf(key) < i)
  if (twice >= 0)
    findings.error(
      `${path}.Tags[${twice}].Key`,
      'InvalidRequest',
      'Duplicate Tag Keys are not allowed.',
      'recorded',
      sources.localstack,
    )
  if (list.length > 10)
    findings.warning(
      `${path}.Tags`,
      'NoEffect',
      'An object has at most 10 tags: no object matches',
      'S3 user guide, object tagging',
    )
  checkSizes(findings, path, and)
  const count =
    ['Prefix', 'ObjectSizeGreaterThan', 'ObjectSizeLessThan'].filter((name) => and[name] !== undefined).length + list.length
  if (count < 2)
    findings.error(path, 'MalformedXML', malformed, 'recorded', 'terraform-provider-aws #23882, 2022: two or more predicates')
}

/** How S3's texts name a scope. */
export function filterText(rule: Record<string, unknown>): string {
  const { Filter: filter, Prefix: prefix } = rule
  if (!isObject(filter)) return `prefix '${typeof prefix === 'string' ? prefix : ''}'`
  const and = isObject(filter['And']) ? filter['And'] : {}
  const own = filter['Prefix'] ?? and['Prefix']
  return typeof own === 'string' ? `filter '(prefix=${own})'` : "filter '()'"
}
