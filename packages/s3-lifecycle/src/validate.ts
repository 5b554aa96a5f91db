import { checkOptions } from '@pipe/core/internal'
import { checkKeys, createFindings, type Finding, type Findings, isObject, malformed, sources } from './finding'
import { minimumSizeModes } from './storage-class'
import { findDoubts } from './validate-doubts'
import { checkRule } from './validate-rule'

/** Options of {@link validateLifecycle}. */
export interface ValidateOptions {
  /** The bucket that the configuration is for: some buckets take less. Default a general purpose bucket without MFA delete. */
  readonly bucket?:
    | {
        readonly kind?: 'general' | 'directory' | undefined
        readonly versioning?: 'unversioned' | 'enabled' | 'suspended' | undefined
        readonly mfaDelete?: boolean | undefined
      }
    | undefined
  /**
   * What to make of transitions that come sooner than the classes' old minimum: 30 days to and from the IA classes, 90 from the Glacier
   * classes. The API reference dropped them in July 2026; AWS refused them before. Default `'warn'`.
   */
  readonly earlyTransitions?: 'warn' | 'refuse' | undefined
}

/**
 * Checks a configuration as S3 does, whatever it came from: JSON of a bucket or a file, dates as text or `Date`. Everything that is wrong
 * is found, not only the first; nothing is thrown. No errors means that S3 would take it.
 *
 * @returns errors with AWS's own code and text and the path of the field, then doubts as warnings.
 * @example
 * ```ts
 * validateLifecycle(JSON.parse(text)).filter(({ severity }) => severity === 'error')
 * // [{ code: 'InvalidArgument', path: 'Rules[0].Expiration.Days', message: "'Days' for Expiration action must be a positive integer", … }]
 * ```
 */
export function validateLifecycle(configuration: unknown, options: ValidateOptions = {}): readonly Finding[] {
  checkOptions('validateLifecycle', options, { optional: ['bucket', 'earlyTransitions'] })
  const findings = createFindings()
  if (!isObject(configuration)) {
    findings.error('', 'MalformedXML', malformed, 'documented', sources.api)
    return findings.list
  }
  checkKeys(findings, '', configuration, ['Rules', 'TransitionDefaultMinimumObjectSize'])
  const mode = configuration['TransitionDefaultMinimumObjectSize']
  if (mode !== undefined && !minimumSizeModes.includes(mode as never)) {
    const text = `Invalid TransitionDefaultMinimumObjectSize found: ${String(mode)}`
    findings.error('TransitionDefaultMinimumObjectSize', 'InvalidRequest', text, 'recorded', sources.localstack)
  }
  const rules = configuration['Rules']
  if (!Array.isArray(rules)) {
    findings.error('Rules', 'MalformedXML', malformed, 'documented', sources.api)
    return findings.list
  }
  checkCount(findings, rules.length)
  checkIds(findings, rules)
  checkVersion(findings, rules)
  for (const [at, rule] of rules.entries()) checkRule(findings, `Rules[${at}]`, rule, options.earlyTransitions ?? 'warn')
  if (options.bucket !== undefined) checkBucket(findings, rules, options.bucket)
  if (findings.list.every(({ severity }) => severity === 'warning')) findDoubts(findings, rules)
  return findings.list.sort((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'))
}

function checkCount(findings: Findings, count: number): void {
  if (count === 0) {
    findings.error('Rules', 'MalformedXML', malformed, 'recorded', 'PUT without rules, 2017; use DeleteBucketLifecycle')
  }
  if (count > 1000) {
    const text = 'The number of lifecycle rules must not exceed the allowed limit of 1000 rules.'
    findings.error('Rules', 'InvalidRequest', text, 'documented', 'S3 API reference, error responses')
  }
}

function checkIds(findings: Findings, rules: readonly unknown[]): void {
  const seen = new Set<string>()
  rules.forEach((rule, at) => {
    const id = isObject(rule) ? rule['ID'] : undefined
    if (id === undefined || id === '') return
    const path = `Rules[${at}].ID`
    if (typeof id !== 'string') findings.error(path, 'MalformedXML', malformed, 'documented', sources.api)
    else if (id.length > 255) {
      findings.error(
        path,
        'InvalidArgument',
        'ID length should not exceed allowed limit of 255',
        'recorded',
        'noobaa #8628, 2025',
      )
    } else if (seen.has(id)) {
      const text = 'Rule ID must be unique. Found same ID for more than one rule'
      findings.error(path, 'InvalidArgument', text, 'recorded', 'tiflash #9889, 2025')
    } else seen.add(id)
  })
}

/** A rule-level prefix makes the whole configuration one of version 1; a filter makes it version 2. The first rule decides. */
function checkVersion(findings: Findings, rules: readonly unknown[]): void {
  const own = rules.map((rule) => (isObject(rule) ? rule : {}))
  const first = own.find((rule) => rule['Filter'] !== undefined || rule['Prefix'] !== undefined)
  if (first === undefined) return
  const isSecond = first['Filter'] !== undefined
  own.forEach((rule, at) => {
    const path = `Rules[${at}]`
    if (isSecond && rule['Prefix'] !== undefined) {
      const text = 'Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.'
      findings.error(`${path}.Prefix`, 'InvalidRequest', text, 'recorded', 'terraform-provider-aws #23299, 2022')
    }
    if (isSecond) return
    if (rule['Filter'] !== undefined) {
      const text = 'Filter element can only be used in Lifecycle V2.'
      findings.error(`${path}.Filter`, 'InvalidRequest', text, 'recorded', 'noobaa #8426; ansible #53751')
    }
    const transitions = rule['NoncurrentVersionTransitions']
    const newer = [rule['NoncurrentVersionExpiration'], ...(Array.isArray(transitions) ? transitions : [])]
    if (newer.some((action) => isObject(action) && action['NewerNoncurrentVersions'] !== undefined)) {
      const text = 'NewerNoncurrentVersions element can only be used in Lifecycle V2.'
      findings.error(path, 'InvalidRequest', text, 'recorded', 'terraform-provider-aws #23228, 2022')
    }
  })
  if (!isSecond) checkOverlaps(findings, own)
}

/** In version 1, prefixes of two rules with the same kind of action must not overlap. */
function checkOverlaps(findings: Findings, rules: readonly Record<string, unknown>[]): void {
  const kinds = [
    ['Expiration', 'Expiration'],
    ['Transitions', 'Transition'],
    ['NoncurrentVersionTransitions', 'NoncurrentVersionTransition'],
    ['NoncurrentVersionExpiration', 'NoncurrentVersionExpiration'],
    ['AbortIncompleteMultipartUpload', 'AbortIncompleteMultipartUpload'],
  ] as const
  for (const [field, name] of kinds) {
    const scopes = rules.flatMap((rule, at) =>
      rule[field] !== undefined && typeof rule['Prefix'] === 'string' ? [{ prefix: rule['Prefix'], at }] : [],
    )
    scopes.sort((a, b) => (a.prefix < b.prefix ? -1 : a.prefix > b.prefix ? 1 : a.at - b.at))
    // In this order a prefix stands right behind the one that it begins with, or behind another that begins with it too.
    for (let i = 1; i < scopes.length; i++) {
      const [outer, inner] = [scopes[i - 1]!, scopes[i]!]
      if (!inner.prefix.startsWith(outer.prefix)) continue
      const text =
        inner.prefix === outer.prefix
          ? `Found two rules with same prefix '${inner.prefix}'`
          : `Found overlapping prefixes '${outer.prefix}' and '${inner.prefix}' for same action type '${name}'`
      findings.error(`Rules[${inner.at}].Prefix`, 'InvalidRequest', text, 'recorded', 'noobaa #8341, 2024')
    }
  }
}

function checkBucket(findings: Findings, rules: readonly unknown[], bucket: NonNullable<ValidateOptions['bucket']>): void {
  if (bucket.mfaDelete) {
    const text = 'Lifecycle is not supported on a bucket with MFA delete'
    findings.error('', 'InvalidBucketState', text, 'inferred', 'S3 user guide, MFA delete and lifecycle configurations')
  }
  rules.forEach((rule, at) => {
    if (!isObject(rule)) return
    const path = `Rules[${at}]`
    if (bucket.kind === 'directory') checkDirectoryBucket(findings, path, rule)
    const noncurrent = ['NoncurrentVersionTransitions', 'NoncurrentVersionExpiration'].find((field) => rule[field] !== undefined)
    if (bucket.versioning === 'unversioned' && noncurrent !== undefined) {
      const text = 'The bucket has no versions: the action has no effect'
      findings.warning(`${path}.${noncurrent}`, 'NoEffect', text, sources.elements)
    }
  })
}

function checkDirectoryBucket(findings: Findings, path: string, rule: Record<string, unknown>): void {
  const source = 'S3 API reference, LifecycleRule (directory buckets)'
  const refuse = (field: string, what: string) =>
    findings.error(`${path}.${field}`, 'InvalidRequest', `${what} is not supported for directory buckets`, 'documented', source)
  for (const field of ['Transitions', 'NoncurrentVersionTransitions', 'NoncurrentVersionExpiration'])
    if (rule[field] !== undefined) refuse(field, field)
  const expiration = rule['Expiration']
  if (isObject(expiration))
    for (const field of ['Date', 'ExpiredObjectDeleteMarker'])
      if (expiration[field] !== undefined) refuse(`Expiration.${field}`, field)
  const filter = rule['Filter']
  if (!isObject(filter)) return
  if (filter['Tag'] !== undefined) refuse('Filter.Tag', 'Tag')
  if (isObject(filter['And']) && filter['And']['Tags'] !== undefined) refuse('Filter.And.Tags', 'Tag')
}
