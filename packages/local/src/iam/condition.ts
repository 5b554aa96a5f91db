import { matchesArn, matchesWildcard } from './pattern'

/** Values of the condition keys of one call. Names compare without case. */
export type RequestContext = ReadonlyMap<string, string>

/** A prepared condition: one operator on one key with its wanted values (any of them suffices; for a negated operator none may match). */
export interface Condition {
  readonly operator: string
  readonly key: string
  readonly values: readonly string[]
}

/**
 * The keys that calls of this runtime carry. A policy that asks for another one is refused: here that key would always be absent, which a negated
 * operator takes for a match.
 */
export const suppliedKeys: readonly string[] = [
  'aws:CurrentTime',
  'aws:EpochTime',
  'aws:PrincipalAccount',
  'aws:PrincipalArn',
  'aws:PrincipalType',
  'aws:RequestedRegion',
  'aws:SecureTransport',
  // Carried by a service that acts for a resource, such as EventBridge for a rule.
  'aws:SourceAccount',
  'aws:SourceArn',
  'events:detail-type',
  'events:source',
  'kms:EncryptionContext:aws:s3:arn',
  'kms:ViaService',
  's3:delimiter',
  's3:max-keys',
  's3:prefix',
]

interface Operator {
  readonly test: (wanted: string, given: string) => boolean
  readonly negated?: boolean
  /** Whether a wanted value makes sense; otherwise the policy is refused. */
  readonly valid?: (wanted: string) => boolean
}

const isNumber = (text: string) => text.trim() !== '' && Number.isFinite(Number(text))
const dateOf = (text: string) => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text))
const isDate = (text: string) => Number.isFinite(dateOf(text))
const isBool = (text: string) => /^(true|false)$/i.test(text)

const numeric = (test: (given: number, wanted: number) => boolean, negated = false): Operator => ({
  test: (wanted, given) => isNumber(given) && test(Number(given), Number(wanted)),
  valid: isNumber,
  negated,
})
const date = (test: (given: number, wanted: number) => boolean, negated = false): Operator => ({
  test: (wanted, given) => isDate(given) && test(dateOf(given), dateOf(wanted)),
  valid: isDate,
  negated,
})
const equals = (wanted: string, given: string) => wanted === given
const equalsIgnoreCase = (wanted: string, given: string) => wanted.toLowerCase() === given.toLowerCase()

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
const operators: Readonly<Record<string, Operator>> = {
  StringEquals: { test: equals },
  StringNotEquals: { test: equals, negated: true },
  StringEqualsIgnoreCase: { test: equalsIgnoreCase },
  StringNotEqualsIgnoreCase: { test: equalsIgnoreCase, negated: true },
  StringLike: { test: matchesWildcard },
  StringNotLike: { test: matchesWildcard, negated: true },
  // The two ARN operators behave alike on AWS: both allow wildcards.
  ArnEquals: { test: matchesArn },
  ArnLike: { test: matchesArn },
  ArnNotEquals: { test: matchesArn, negated: true },
  ArnNotLike: { test: matchesArn, negated: true },
  Bool: { test: equalsIgnoreCase, valid: isBool },
  NumericEquals: numeric((given, wanted) => given === wanted),
  NumericNotEquals: numeric((given, wanted) => given === wanted, true),
  NumericLessThan: numeric((given, wanted) => given < wanted),
  NumericLessThanEquals: numeric((given, wanted) => given <= wanted),
  NumericGreaterThan: numeric((given, wanted) => given > wanted),
  NumericGreaterThanEquals: numeric((given, wanted) => given >= wanted),
  DateEquals: date((given, wanted) => given === wanted),
  DateNotEquals: date((given, wanted) => given === wanted, true),
  DateLessThan: date((given, wanted) => given < wanted),
  DateLessThanEquals: date((given, wanted) => given <= wanted),
  DateGreaterThan: date((given, wanted) => given > wanted),
  DateGreaterThanEquals: date((given, wanted) => given >= wanted),
  Null: { test: () => false, valid: isBool },
}

interface OperatorName {
  readonly quantifier: 'ForAnyValue' | 'ForAllValues' | undefined
  readonly base: string
  readonly ifExists: boolean
}

function parseOperator(name: string): OperatorName {
  const match = /^(?:(ForAnyValue|ForAllValues):)?(.+?)(IfExists)?$/.exec(name)
  return { quantifier: match?.[1] as OperatorName['quantifier'], base: match?.[2] ?? name, ifExists: match?.[3] !== undefined }
}

/** What is wrong with a condition; `undefined` when it can be evaluated. */
export function conditionProblem({ operator, key, values }: Condition): string | undefined {
  const { base, ifExists } = parseOperator(operator)
  const known = Object.hasOwn(operators, base) ? operators[base] : undefined
  if (!known || (base === 'Null' && ifExists)) {
    return `the operator "${operator}" is not supported locally. Supported: ${Object.keys(operators).join(', ')}, with IfExists, ForAnyValue: and ForAllValues:`
  }
  if (!suppliedKeys.some((supplied) => supplied.toLowerCase() === key.toLowerCase())) {
    return `no call of the local runtime carries the condition key "${key}". Carried are ${suppliedKeys.join(', ')}`
  }
  const bad = known.valid && values.find((value) => !known.valid!(value))
  return bad === undefined ? undefined : `"${bad}" is not a value for the operator "${operator}"`
}

/**
 * Whether a condition holds. A key that the call does not carry makes it false, except for negated operators, `…IfExists`, `ForAllValues:` and `Null`, as on AWS.
 */
export function conditionHolds(condition: Condition, context: RequestContext): boolean {
  const { quantifier, base, ifExists } = parseOperator(condition.operator)
  const operator = operators[base]!
  const given = context.get(condition.key.toLowerCase())
  if (base === 'Null') return condition.values.some((wanted) => /^true$/i.test(wanted) === (given === undefined))
  if (given === undefined) {
    if (quantifier === 'ForAnyValue') return ifExists
    return ifExists || quantifier === 'ForAllValues' || operator.negated === true
  }
  // Every key of a local call has one value, so the two set operators ask the same of it.
  const matched = condition.values.some((wanted) => operator.test(wanted, given))
  return operator.negated ? !matched : matched
}
