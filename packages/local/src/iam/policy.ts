import { ConfigError } from '@pipe/core'
import { type Condition, conditionProblem } from './condition'
import { arnParts } from './pattern'

type OneOrMore<T> = T | readonly T[]

/** One statement of an identity policy, as in the JSON of IAM. */
export interface PolicyStatement {
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Action?: OneOrMore<string>
  readonly NotAction?: OneOrMore<string>
  readonly Resource?: OneOrMore<string>
  readonly NotResource?: OneOrMore<string>
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMore<string | number | boolean>>>>>
}

/** An identity policy, as in the JSON of IAM. */
export interface PolicyDocument {
  readonly Version?: '2012-10-17' | '2008-10-17'
  readonly Id?: string
  readonly Statement: OneOrMore<PolicyStatement>
}

/** A statement that was checked and made ready for evaluation. */
export interface PreparedStatement {
  /** Where it stands: `Statement[0]`, with its Sid if it has one. */
  readonly name: string
  readonly effect: 'Allow' | 'Deny'
  readonly actions: readonly string[]
  readonly actionsNegated: boolean
  readonly resources: readonly string[]
  readonly resourcesNegated: boolean
  readonly conditions: readonly Condition[]
}

/**
 * Checks a policy document. Everything that the local IAM cannot decide exactly is refused here, at deploy time, and never taken for a match: unknown
 * elements, unsupported operators, policy variables.
 *
 * @param owner Whose policy it is, for the error text.
 * @throws ConfigError `PIPE_IAM_POLICY` whose text and `details.path` name the place (`Statement[1].Condition.StringLike`).
 */
export function preparePolicy(owner: string, policy: unknown): readonly PreparedStatement[] {
  const fail = (path: string, problem: string): never => {
    throw new ConfigError(`The policy of ${owner}, ${path}: ${problem}.`, { code: 'PIPE_IAM_POLICY', details: { owner, path } })
  }
  const document = objectAt(policy, 'top level', fail)
  for (const key of Object.keys(document)) {
    if (!['Version', 'Id', 'Statement'].includes(key)) fail(key, 'is not an element of a policy (Version, Id, Statement)')
  }
  const { Version, Statement } = document
  if (Version !== undefined && Version !== '2012-10-17' && Version !== '2008-10-17') {
    fail('Version', `is ${JSON.stringify(Version)}, not "2012-10-17" or "2008-10-17"`)
  }
  const statements = Array.isArray(Statement) ? Statement : [Statement]
  if (Statement === undefined || statements.length === 0) fail('Statement', 'is missing or empty')
  return statements.map((statement, i) =>
    prepareStatement(statement, Array.isArray(Statement) ? `Statement[${i}]` : 'Statement', fail),
  )
}

type Fail = (path: string, problem: string) => never

const statementKeys = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition']

function prepareStatement(value: unknown, path: string, fail: Fail): PreparedStatement {
  const statement = objectAt(value, path, fail)
  for (const key of Object.keys(statement)) {
    if (/^(Not)?Principal$/.test(key)) fail(`${path}.${key}`, 'belongs into a resource policy, not into the policy of a function')
    if (!statementKeys.includes(key)) fail(`${path}.${key}`, `is not an element of a statement (${statementKeys.join(', ')})`)
  }
  const { Sid, Effect } = statement
  if (Sid !== undefined && typeof Sid !== 'string') fail(`${path}.Sid`, 'is not a text')
  if (Effect !== 'Allow' && Effect !== 'Deny') fail(`${path}.Effect`, `is ${JSON.stringify(Effect)}, not "Allow" or "Deny"`)
  const actions = eitherList(statement, 'Action', path, fail, (action, at) => {
    if (action !== '*' && !/^[a-z0-9-]+:[A-Za-z0-9*?]+$/i.test(action)) {
      fail(at, `"${action}" is not an action like "s3:PutObject"`)
    }
  })
  const resources = eitherList(statement, 'Resource', path, fail, (resource, at) => {
    if (resource !== '*' && !arnParts(resource)) {
      fail(at, `"${resource}" is neither "*" nor an ARN like "arn:aws:s3:::bucket/prefix/*"`)
    }
  })
  return {
    name: typeof Sid === 'string' ? `${path} (${Sid})` : path,
    effect: Effect as 'Allow' | 'Deny',
    actions: actions.values.map((action) => action.toLowerCase()),
    actionsNegated: actions.negated,
    resources: resources.values,
    resourcesNegated: resources.negated,
    conditions: prepareConditions(statement['Condition'], `${path}.Condition`, fail),
  }
}

function eitherList(
  statement: Readonly<Record<string, unknown>>,
  key: 'Action' | 'Resource',
  path: string,
  fail: Fail,
  check: (value: string, at: string) => void,
): { values: readonly string[]; negated: boolean } {
  const negated = statement[`Not${key}`] !== undefined
  if (negated === (statement[key] !== undefined)) fail(path, `needs exactly one of ${key} and Not${key}`)
  const at = negated ? `${path}.Not${key}` : `${path}.${key}`
  return { values: textsAt(negated ? statement[`Not${key}`] : statement[key], at, fail, check), negated }
}

function textsAt(value: unknown, path: string, fail: Fail, check: (value: string, at: string) => void): readonly string[] {
  const values = Array.isArray(value) ? value : [value]
  if (values.length === 0) fail(path, 'is an empty list')
  return values.map((item: unknown, i) => {
    const at = Array.isArray(value) ? `${path}[${i}]` : path
    if (typeof item !== 'string') return fail(at, `is ${JSON.stringify(item)}, not a text`)
    refuseVariables(item, at, fail)
    check(item, at)
    return item
  })
}

function prepareConditions(value: unknown, path: string, fail: Fail): readonly Condition[] {
  if (value === undefined) return []
  const conditions: Condition[] = []
  for (const [operator, keys] of Object.entries(objectAt(value, path, fail))) {
    for (const [key, wanted] of Object.entries(objectAt(keys, `${path}.${operator}`, fail))) {
      const at = `${path}.${operator}["${key}"]`
      const list = Array.isArray(wanted) ? wanted : [wanted]
      if (list.length === 0) fail(at, 'is an empty list')
      const values = list.map((item: unknown) => {
        if (!['string', 'number', 'boolean'].includes(typeof item)) fail(at, `${JSON.stringify(item)} is not a value`)
        refuseVariables(String(item), at, fail)
        return String(item)
      })
      const condition: Condition = { operator, key, values }
      const problem = conditionProblem(condition)
      if (problem) fail(`${path}.${operator}`, problem)
      conditions.push(condition)
    }
  }
  return conditions
}

function refuseVariables(text: string, path: string, fail: Fail): void {
  const variable = /\$\{[^}]*\}/.exec(text)
  if (variable) fail(path, `the policy variable ${variable[0]} is not supported locally; write the value out`)
}

function objectAt(value: unknown, path: string, fail: Fail): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(path, 'is not an object')
  return value as Readonly<Record<string, unknown>>
}
