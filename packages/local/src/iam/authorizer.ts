import { ConfigError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type Authorizer, AwsError, localAccount, localRegion, type Principal } from '../service'
import { decide } from './decision'
import { type PolicyDocument, type PreparedStatement, preparePolicy } from './policy'

/** One question to the authorizer, kept once for every different (principal, action, resource, allowed). */
export interface AuthorizedCall {
  readonly principal: string
  /** `s3:PutObject` */
  readonly action: string
  /** ARN */
  readonly resource: string
  readonly allowed: boolean
  /** The statement that decided (`Statement[0] (WriteRaw)`); absent for root and for what no statement mentions. */
  readonly statement?: string
  /** How often. */
  readonly count: number
}

/** The authorizer of a runtime, with the policies of its functions. */
export interface PolicyAuthorizer extends Authorizer {
  readonly mode: 'enforce' | 'off'
  /**
   * Gives a function its policy; replaces the one it had.
   *
   * @throws ConfigError `PIPE_IAM_POLICY` with the path of the mistake.
   */
  setPolicy(principalName: string, policy: PolicyDocument): void
  removePolicy(principalName: string): void
  /** The policy that each principal has now. */
  policies(): ReadonlyMap<string, PolicyDocument>
  /** All calls so far, in order of first appearance. With mode `off` they say what `enforce` would have answered. At most 100 000 different ones are kept. */
  calls(): readonly AuthorizedCall[]
}

/** Options of {@link createAuthorizer}. */
export interface AuthorizerOptions {
  /** `enforce` refuses what no policy allows; `off` allows everything and only records. */
  readonly mode: 'enforce' | 'off'
  /** For `aws:CurrentTime`. Default: real time. */
  readonly now?: () => number
}

const maxCalls = 100_000

/**
 * IAM for identity policies: root may do everything, a function what its policy allows, a function without a policy nothing.
 *
 * @example
 * ```ts
 * const iam = createAuthorizer({ mode: 'enforce' })
 * iam.setPolicy('log-generator', { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::lake/raw/*' }] })
 * ```
 */
export function createAuthorizer(options: AuthorizerOptions): PolicyAuthorizer {
  checkOptions('createAuthorizer', options, { required: ['mode'], optional: ['now'] })
  const { mode, now = Date.now } = options
  if (mode !== 'enforce' && mode !== 'off') throw new ConfigError(`iam is "${mode}", not "enforce" or "off".`)
  const policies = new Map<string, { readonly document: PolicyDocument; readonly statements: readonly PreparedStatement[] }>()
  const calls = new Map<string, AuthorizedCall>()

  const ask = (principal: Principal, action: string, resource: string, given: Readonly<Record<string, string>> = {}) => {
    const root = principal.name === 'root'
    const decision = root
      ? ({ outcome: 'allowed' } as const)
      : decide(policies.get(principal.name)?.statements ?? [], action, resource, requestContext(principal, now(), given))
    const allowed = decision.outcome === 'allowed'
    const id = `${principal.name}\n${action}\n${resource}\n${allowed}`
    const before = calls.get(id)
    if (before || calls.size < maxCalls) {
      const statement = 'statement' in decision ? { statement: decision.statement } : {}
      calls.set(id, { principal: principal.name, action, resource, allowed, ...statement, count: (before?.count ?? 0) + 1 })
    }
    return decision
  }

  return {
    mode,
    setPolicy(principalName, policy) {
      policies.set(principalName, { document: policy, statements: preparePolicy(principalName, policy) })
    },
    removePolicy(principalName) {
      policies.delete(principalName)
    },
    authorize(principal, action, resource, context) {
      const decision = ask(principal, action, resource, context)
      if (decision.outcome === 'allowed' || mode === 'off') return
      const reason =
        decision.outcome === 'explicit-deny'
          ? 'with an explicit deny in an identity-based policy'
          : `because no identity-based policy allows the ${action} action`
      const user = `arn:aws:sts::${principal.account ?? localAccount}:assumed-role/${principal.name}/${principal.name}`
      const message = `User: ${user} is not authorized to perform: ${action} on resource: "${resource}" ${reason}`
      throw new AwsError('AccessDenied', message, 403)
    },
    isAllowed(principal, action, resource, context) {
      return ask(principal, action, resource, context).outcome === 'allowed' || mode === 'off'
    },
    policies: () => new Map([...policies].map(([name, { document }]) => [name, document])),
    calls: () => [...calls.values()],
  }
}

/** The global keys that every call carries, and those that its service gives. */
export function requestContext(
  principal: Principal,
  now: number,
  given: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> {
  const { account = localAccount } = principal
  const context: Record<string, string> = {
    'aws:PrincipalAccount': account,
    'aws:PrincipalArn': `arn:aws:iam::${account}:role/${principal.name}`,
    'aws:PrincipalType': 'AssumedRole',
    'aws:RequestedRegion': localRegion,
    'aws:SecureTransport': 'false',
    'aws:CurrentTime': new Date(now).toISOString(),
    'aws:EpochTime': String(Math.floor(now / 1000)),
    ...given,
  }
  return new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]))
}
