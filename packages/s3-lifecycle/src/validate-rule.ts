import { checkKeys, type Findings, isObject, malformed, sources } from './finding'
import { canTransition, isTransitionClass, type TransitionClass } from './storage-class'
import { checkFilter, filterText, type ScopeTraits } from './validate-filter'

/** Days are 32-bit integers in the API. */
const maxDays = 2_147_483_647

const ruleKeys = [
  'ID',
  'Status',
  'Filter',
  'Prefix',
  'Transitions',
  'Expiration',
  'NoncurrentVersionTransitions',
  'NoncurrentVersionExpiration',
  'AbortIncompleteMultipartUpload',
]

interface Step {
  readonly path: string
  readonly to: TransitionClass
  /** Days, or milliseconds of a date. */
  readonly at: number
  readonly by: 'Days' | 'Date' | 'NoncurrentDays'
}

/** Checks one rule by itself. */
export function checkRule(findings: Findings, path: string, rule: unknown, early: 'warn' | 'refuse'): void {
  if (!isObject(rule)) {
    findings.error(path, 'MalformedXML', malformed, 'documented', sources.api)
    return
  }
  checkKeys(findings, path, rule, ruleKeys)
  if (rule['Status'] !== 'Enabled' && rule['Status'] !== 'Disabled')
    findings.error(`${path}.Status`, 'MalformedXML', malformed, 'recorded', `${sources.ceph}; noobaa #8664, 2025`)
  const scope = checkFilter(findings, path, rule)
  const actions = ruleKeys
    .slice(4)
    .filter((key) => rule[key] !== undefined && !(Array.isArray(rule[key]) && rule[key].length === 0))
  if (actions.length === 0) {
    const text = 'At least one action needs to be specified in a rule'
    findings.error(path, 'InvalidRequest', text, 'recorded', 'mcaf terraform-aws-s3 #46, 2025')
  }
  const where = filterText(rule)
  const steps = checkTransitions(findings, path, rule, where, early)
  const expiry = checkExpiration(findings, path, rule['Expiration'], scope)
  checkMixing(findings, path, steps, expiry, where)
  checkExpiryOrder(findings, `${path}.Expiration`, expiry, steps, 'Expiration', 'Transition', where)
  checkNoncurrent(findings, path, rule, where, early)
  checkAbort(findings, path, rule['AbortIncompleteMultipartUpload'], scope)
}

function checkTransitions(
  findings: Findings,
  path: string,
  rule: Record<string, unknown>,
  where: string,
  early: 'warn' | 'refuse',
): Step[] {
  const steps: Step[] = []
  for (const [i, transition] of listOf(findings, `${path}.Transitions`, rule['Transitions']).entries()) {
    const at = `${path}.Transitions[${i}]`
    if (!isObject(transition)) {
      findings.error(at, 'MalformedXML', malformed, 'documented', sources.api)
      continue
    }
    checkKeys(findings, at, transition, ['Days', 'Date', 'StorageClass'])
    const to = checkClass(findings, at, transition['StorageClass'])
    if ((transition['Days'] === undefined) === (transition['Date'] === undefined)) {
      findings.error(at, 'MalformedXML', malformed, 'inferred', `${sources.api}: exactly one of Days and Date`)
      continue
    }
    const by = transition['Days'] === undefined ? 'Date' : 'Days'
    const value =
      by === 'Date'
        ? checkDate(findings, `${at}.Date`, transition['Date'])
        : checkDays(findings, `${at}.Days`, transition['Days'], 0, "'Days' in Transition action must be nonnegative")
    if (to !== undefined && value !== undefined) steps.push({ path: at, to, at: value, by })
  }
  checkSteps(findings, steps, 'Transition', where, early)
  return steps
}

function listOf(findings: Findings, path: string, value: unknown): readonly unknown[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return value
  findings.error(path, 'MalformedXML', malformed, 'documented', sources.api)
  return []
}

function checkClass(findings: Findings, path: string, name: unknown): TransitionClass | undefined {
  if (isTransitionClass(name)) return name
  findings.error(`${path}.StorageClass`, 'MalformedXML', malformed, 'inferred', `${sources.api}: TransitionStorageClass`)
  return undefined
}

/** Whole days of at least `least`. */
function checkDays(findings: Findings, path: string, value: unknown, least: 0 | 1, text: string): number | undefined {
  if (typeof value !== 'number' || !Number.isInteger(value) || value > maxDays) {
    findings.error(path, 'MalformedXML', malformed, 'inferred', `${sources.api}: a 32-bit integer`)
    return undefined
  }
  if (value >= least) return value
  findings.error(path, 'InvalidArgument', text, 'recorded', `${sources.ceph}; terraform-provider-aws #35328`)
  return undefined
}

function checkDate(findings: Findings, path: string, value: unknown): number | undefined {
  const isIso = typeof value === 'string' && /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(value)
  const time = value instanceof Date ? value.getTime() : isIso ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) {
    findings.error(path, 'MalformedXML', malformed, 'recorded', 'aws-sdk-js #2352, 2018: dates must be ISO 8601')
    return undefined
  }
  if (time % 86_400_000 === 0) return time
  findings.error(path, 'InvalidArgument', "'Date' must be at midnight GMT", 'recorded', sources.localstack)
  return undefined
}

/** Each class once, a colder one strictly later, and not sooner than AWS asked for until 2026. */
function checkSteps(findings: Findings, steps: readonly Step[], action: string, where: string, early: 'warn' | 'refuse'): void {
  const tooEarly = (path: string, text: string, source: string) =>
    early === 'refuse'
      ? findings.error(path, 'InvalidArgument', text, 'recorded', source)
      : findings.warning(path, 'EarlyTransition', text, `${source}; dropped from the API reference in July 2026`)
  steps.forEach((step, i) => {
    const { path, to, at, by } = step
    if (steps.findIndex((other) => other.to === to) < i) {
      const text = `'StorageClass' must be different for '${action}' actions in same 'Rule' with ${where}`
      findings.error(`${path}.StorageClass`, 'InvalidRequest', text, 'recorded', 'CloudFormation, 2026')
    }
    if ((to === 'STANDARD_IA' || to === 'ONEZONE_IA') && by !== 'Date' && at < 30) {
      const text = `'${by}' in ${action} action must be greater than or equal to 30 for storageClass '${to}'`
      tooEarly(`${path}.${by}`, text, sources.transitions)
    }
    for (const other of steps) {
      if (other === step || other.by !== by) continue
      if (canTransition(other.to, to)) {
        const text = `'${by}' in the '${action}' action for StorageClass '${to}' for ${where} must be`
        const than = `in the '${action}' action for StorageClass '${other.to}'`
        const gap = (at - other.at) / (by === 'Date' ? 86_400_000 : 1)
        const least =
          other.to === 'STANDARD_IA' || other.to === 'ONEZONE_IA'
            ? 30
            : other.to === 'GLACIER_IR' || other.to === 'GLACIER'
              ? 90
              : 0
        if (gap <= 0) {
          findings.error(
            `${path}.${by}`,
            'InvalidArgument',
            `${text} greater than '${by}' ${than} for ${where}`,
            'inferred',
            sources.transitions,
          )
        } else if (gap < least)
          tooEarly(`${path}.${by}`, `${text} ${least} days more than '${where}' ${than}`, sources.transitions)
      } else if (at > other.at && to !== other.to && !canTransition(to, other.to)) {
        findings.warning(
          `${path}.StorageClass`,
          'NoEffect',
          `${to} can never follow ${other.to}: the transition does nothing`,
          sources.transitions,
        )
      }
    }
  })
}

function checkExpiration(findings: Findings, path: string, expiration: unknown, scope: ScopeTraits): Step | undefined {
  if (expiration === undefined) return undefined
  const at = `${path}.Expiration`
  if (!isObject(expiration)) {
    findings.error(at, 'MalformedXML', malformed, 'documented', sources.api)
    return undefined
  }
  checkKeys(findings, at, expiration, ['Days', 'Date', 'ExpiredObjectDeleteMarker'])
  const given = ['Days', 'Date', 'ExpiredObjectDeleteMarker'].filter((key) => expiration[key] !== undefined)
  if (given.length !== 1) findings.error(at, 'MalformedXML', malformed, 'recorded', `${sources.localstack}; aws-cli #8239`)
  if (expiration['ExpiredObjectDeleteMarker'] !== undefined) {
    if (typeof expiration['ExpiredObjectDeleteMarker'] !== 'boolean')
      findings.error(`${at}.ExpiredObjectDeleteMarker`, 'MalformedXML', malformed, 'documented', sources.api)
    refuseTraits(findings, at, 'ExpiredObjectDeleteMarker', scope, 'cloudposse terraform-aws-s3-bucket #137')
  }
  if (expiration['Date'] !== undefined) {
    const time = checkDate(findings, `${at}.Date`, expiration['Date'])
    return time === undefined ? undefined : { path: at, to: 'DEEP_ARCHIVE', at: time, by: 'Date' }
  }
  if (expiration['Days'] === undefined) return undefined
  const text = "'Days' for Expiration action must be a positive integer"
  const days = checkDays(findings, `${at}.Days`, expiration['Days'], 1, text)
  return days === undefined ? undefined : { path: at, to: 'DEEP_ARCHIVE', at: days, by: 'Days' }
}

/** Uploads and delete markers have neither tags nor a size. */
function refuseTraits(findings: Findings, path: string, action: string, scope: ScopeTraits, source: string): void {
  if (scope.hasTags) findings.error(path, 'InvalidRequest', `${action} cannot be specified with Tags.`, 'recorded', source)
  if (scope.hasSizes)
    findings.error(path, 'InvalidRequest', `${action} cannot be specified with Object Size.`, 'recorded', source)
}

function checkMixing(findings: Findings, path: string, steps: readonly Step[], expiry: Step | undefined, where: string): void {
  const source = 'CloudFormation, 2026; S3 user guide'
  const kinds = new Set(steps.map(({ by }) => by))
  if (kinds.size > 1) {
    const text = `Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule for ${where}`
    findings.error(`${path}.Transitions`, 'InvalidRequest', text, 'recorded', source)
  } else if (expiry !== undefined && steps.length > 0 && !kinds.has(expiry.by)) {
    const text = `Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for ${where}`
    findings.error(`${path}.Expiration`, 'InvalidRequest', text, 'recorded', source)
  }
}

function checkExpiryOrder(
  findings: Findings,
  path: string,
  expiry: Step | undefined,
  steps: readonly Step[],
  action: string,
  transition: string,
  where: string,
): void {
  if (expiry === undefined) return
  const { by, at } = expiry
  if (!steps.some((step) => step.by === by && step.at >= at)) return
  const text = `'${by}' in the ${action} action for ${where} must be ${by === 'Date' ? 'later' : 'greater'} than '${by}' in the ${transition} action`
  findings.error(`${path}.${by}`, 'InvalidArgument', text, 'inferred', 'recalled from AWS; repeated by scality/Arsenal')
}

function checkNoncurrent(
  findings: Findings,
  path: string,
  rule: Record<string, unknown>,
  where: string,
  early: 'warn' | 'refuse',
): void {
  const steps: Step[] = []
  const field = `${path}.NoncurrentVersionTransitions`
  for (const [i, transition] of listOf(findings, field, rule['NoncurrentVersionTransitions']).entries()) {
    const at = `${field}[${i}]`
    if (!isObject(transition)) {
      findings.error(at, 'MalformedXML', malformed, 'documented', sources.api)
      continue
    }
    checkKeys(findings, at, transition, ['NoncurrentDays', 'NewerNoncurrentVersions', 'StorageClass'])
    const to = checkClass(findings, at, transition['StorageClass'])
    checkNewer(findings, at, transition['NewerNoncurrentVersions'])
    if (transition['NoncurrentDays'] === undefined) {
      findings.error(`${at}.NoncurrentDays`, 'MalformedXML', malformed, 'inferred', 'moto; S3 API reference')
      continue
    }
    const text = "'NoncurrentDays' in NoncurrentVersionTransition action must be nonnegative"
    const days = checkDays(findings, `${at}.NoncurrentDays`, transition['NoncurrentDays'], 0, text)
    if (to !== undefined && days !== undefined) steps.push({ path: at, to, at: days, by: 'NoncurrentDays' })
  }
  checkSteps(findings, steps, 'NoncurrentVersionTransition', where, early)
  const expiration = rule['NoncurrentVersionExpiration']
  if (expiration === undefined) return
  const at = `${path}.NoncurrentVersionExpiration`
  if (!isObject(expiration)) {
    findings.error(at, 'MalformedXML', malformed, 'documented', sources.api)
    return
  }
  checkKeys(findings, at, expiration, ['NoncurrentDays', 'NewerNoncurrentVersions'])
  checkNewer(findings, at, expiration['NewerNoncurrentVersions'])
  if (expiration['NoncurrentDays'] === undefined) {
    findings.error(at, 'MalformedXML', malformed, 'recorded', `${sources.localstack}; noobaa #8861`)
    return
  }
  const text = "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer"
  const days = checkDays(findings, `${at}.NoncurrentDays`, expiration['NoncurrentDays'], 1, text)
  const expiry = days === undefined ? undefined : ({ path: at, to: 'DEEP_ARCHIVE', at: days, by: 'NoncurrentDays' } as const)
  checkExpiryOrder(findings, at, expiry, steps, 'NoncurrentVersionExpiration', 'NoncurrentVersionTransition', where)
}

function checkNewer(findings: Findings, path: string, value: unknown): void {
  if (value === undefined) return
  const at = `${path}.NewerNoncurrentVersions`
  if (typeof value !== 'number' || !Number.isInteger(value) || value > maxDays) {
    findings.error(at, 'MalformedXML', malformed, 'inferred', `${sources.api}: a 32-bit integer`)
    return
  }
  if (value < 1) {
    findings.error(at, 'InvalidArgument', "'NewerNoncurrentVersions' must be a positive integer", 'inferred', sources.api)
  } else if (value > 100) {
    const text = "'NewerNoncurrentVersions' must not exceed 100"
    findings.error(at, 'InvalidArgument', text, 'documented', `${sources.api} (500 was once accepted through CloudFormation)`)
  }
}

function checkAbort(findings: Findings, path: string, abort: unknown, scope: ScopeTraits): void {
  if (abort === undefined) return
  const at = `${path}.AbortIncompleteMultipartUpload`
  if (!isObject(abort) || abort['DaysAfterInitiation'] === undefined) {
    findings.error(at, 'MalformedXML', malformed, 'inferred', sources.api)
    return
  }
  checkKeys(findings, at, abort, ['DaysAfterInitiation'])
  refuseTraits(findings, at, 'AbortIncompleteMultipartUpload', scope, 'terraform-aws-s3-bucket #109; cfn-lint #3554')
  const text = "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer"
  checkDays(findings, `${at}.DaysAfterInitiation`, abort['DaysAfterInitiation'], 1, text)
}
