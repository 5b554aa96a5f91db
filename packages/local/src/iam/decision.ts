import { conditionHolds, type RequestContext } from './condition'
import { matchesArn, matchesWildcard } from './pattern'
import type { PreparedStatement } from './policy'

/** How a call was decided, and by which statement. */
export type Decision =
  | { readonly outcome: 'allowed'; readonly statement: string }
  | { readonly outcome: 'explicit-deny'; readonly statement: string }
  | { readonly outcome: 'implicit-deny' }

/** IAM's rule: any matching Deny refuses, else any matching Allow allows, else nothing is allowed. */
export function decide(
  statements: readonly PreparedStatement[],
  action: string,
  resource: string,
  context: RequestContext,
): Decision {
  const matching = statements.filter((statement) => applies(statement, action.toLowerCase(), resource, context))
  const deny = matching.find(({ effect }) => effect === 'Deny')
  if (deny) return { outcome: 'explicit-deny', statement: deny.name }
  const allow = matching[0]
  return allow ? { outcome: 'allowed', statement: allow.name } : { outcome: 'implicit-deny' }
}

function applies(statement: PreparedStatement, action: string, resource: string, context: RequestContext): boolean {
  return (
    statement.actions.some((pattern) => matchesWildcard(pattern, action)) !== statement.actionsNegated &&
    statement.resources.some((pattern) => matchesArn(pattern, resource)) !== statement.resourcesNegated &&
    statement.conditions.every((condition) => conditionHolds(condition, context))
  )
}
