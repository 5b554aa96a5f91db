import { requestContext } from '../iam/authorizer'
import { decide } from '../iam/decision'
import { type Authorizer, AwsError, localAccount, type Principal } from '../service'
import { concerns, principalArn, type ResourceStatement, resourceStatements } from './resource-policy'
import type { Store } from './store'

const s3Arn = 'arn:aws:s3:::'

/**
 * The authorizer of S3: what the policy of a principal says, and what the policy of the bucket says. In the account of the bucket one of both is enough,
 * another account needs both; a denial of either decides.
 */
export function createBucketAuthorizer(store: Store, identities: Authorizer): Authorizer {
  const prepared = new Map<string, readonly ResourceStatement[]>()

  function statementsOf(bucket: string, policy: string): readonly ResourceStatement[] {
    const id = `${bucket}\n${policy}`
    let statements = prepared.get(id)
    if (!statements) {
      // Policies change seldom; those of the past are not worth keeping.
      if (prepared.size > 100) prepared.clear()
      statements = resourceStatements(bucket, policy)
      prepared.set(id, statements)
    }
    return statements
  }

  // undefined: the policy of the principal decides alone.
  function decideByBucket(principal: Principal, action: string, resource: string, context: Readonly<Record<string, string>>) {
    if (!resource.startsWith(s3Arn)) return undefined
    const slash = resource.indexOf('/', s3Arn.length)
    const index = store.find(slash < 0 ? resource.slice(s3Arn.length) : resource.slice(s3Arn.length, slash))
    if (!index) return undefined
    const { policy } = index.configuration
    const isForeign = index.owner !== (principal.account ?? localAccount)
    if (policy === undefined) return isForeign ? ('unmentioned' as const) : undefined
    const statements = statementsOf(index.name, policy).filter((statement) => concerns(statement, principal))
    const { outcome } = decide(
      statements.map(({ statement }) => statement),
      action,
      resource,
      requestContext(principal, store.now(), context),
    )
    if (outcome === 'explicit-deny') return 'denied' as const
    if (isForeign) return outcome === 'allowed' ? undefined : ('unmentioned' as const)
    return outcome === 'allowed' ? ('allowed' as const) : undefined
  }

  return {
    authorize(principal, action, resource, context = {}) {
      const decision = decideByBucket(principal, action, resource, context)
      // Asked also when the bucket decides: every call stands in its record.
      if (decision === 'allowed') identities.isAllowed(principal, action, resource, context)
      else identities.authorize(principal, action, resource, context)
      if (decision === undefined || decision === 'allowed' || identities.mode === 'off') return
      const reason =
        decision === 'denied'
          ? 'with an explicit deny in a resource-based policy'
          : `because no resource-based policy allows the ${action} action`
      const text = `User: ${principalArn(principal)} is not authorized to perform: ${action} on resource: "${resource}" ${reason}`
      throw new AwsError('AccessDenied', text, 403)
    },
    isAllowed(principal, action, resource, context = {}) {
      const isAllowed = identities.isAllowed(principal, action, resource, context)
      if (identities.mode === 'off') return true
      const decision = decideByBucket(principal, action, resource, context)
      return decision === 'allowed' || (decision === undefined && isAllowed)
    },
  }
}
