import type { Statement } from '../lint/policy'

/** A call that was recorded while the tests of an example ran. */
export interface RecordedCall {
  readonly principal: string
  readonly action: string
  /** ARN */
  readonly resource: string
  readonly allowed: boolean
}

/** A policy against the calls made under it. */
export interface GrantComparison {
  /** Different pairs of action and resource that were called. */
  readonly used: number
  /** Actions that the policy grants. */
  readonly granted: number
  /** `ACTION on ARN`: called and not granted. */
  readonly missing: readonly string[]
  /** `ACTION (Sid)` or `RESOURCE (Sid)`: granted and never needed. */
  readonly unused: readonly string[]
}

/** By function: actions whose use its tests cannot show, with the reason. */
export const unseen: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'fan-out/big-order-alert': {
    's3:DeleteObject': 'gives the record back when the work failed, which no run of the story forces',
  },
  'fan-out/invoice': { 's3:DeleteObject': 'gives the record back when the work failed, which no run of the story forces' },
  'fan-out/payment': { 's3:DeleteObject': 'gives the record back when the work failed, which no run of the story forces' },
  'log-pipeline/log-compactor': {
    'athena:StopQueryExecution': 'ends a statement when the deadline of the function comes',
    's3:AbortMultipartUpload': 'clears away an upload that failed half-way',
  },
}

/**
 * Compares what a policy grants with what was called: each call must be granted, each action and each resource of a statement must have been needed. An action
 * with a wildcard counts as unused: nobody needs all that it grants.
 */
export function compareGrants(
  statements: readonly Statement[],
  calls: readonly RecordedCall[],
  notSeen: Readonly<Record<string, string>> = {},
): GrantComparison {
  const grants = (statement: Statement, { action, resource }: RecordedCall) =>
    statement.actions.some((one) => matches(one, action)) && statement.resources.some((one) => matches(one, resource))
  const missing = calls
    .filter((call) => !statements.some((statement) => grants(statement, call)))
    .map(({ action, resource }) => `${action} on ${resource}`)
  const unused = statements.flatMap((statement) => {
    const served = calls.filter((call) => grants(statement, call))
    const name = statement.sid === undefined ? '' : ` (${statement.sid})`
    const actions = statement.actions.filter(
      (action) => /[*?]/.test(action) || !(action in notSeen || served.some((call) => matches(action, call.action))),
    )
    const resources = statement.resources.filter((resource) => !served.some((call) => matches(resource, call.resource)))
    return [...actions, ...resources].map((grant) => `${grant}${name}`)
  })
  const pairs = new Set(calls.map(({ action, resource }) => `${action} ${resource}`))
  const granted = new Set(statements.flatMap(({ actions }) => actions))
  return { used: pairs.size, granted: granted.size, missing: [...new Set(missing)], unused }
}

function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('\\?', '.'))
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text)
}
