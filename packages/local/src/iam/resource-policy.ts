import { ConfigError } from '@pipe/core'
import { localAccount } from '../service'
import { decide } from './decision'
import { type PreparedStatement, preparePolicy } from './policy'

/** A policy of a resource (a queue, a function), checked. */
export interface PreparedResourcePolicy {
  readonly statements: readonly { readonly principals: readonly string[]; readonly statement: PreparedStatement }[]
}

/** A service of AWS that acts for a resource of the account. */
export interface ServiceRequest {
  /** `events.amazonaws.com` */
  readonly service: string
  /** `sqs:SendMessage` */
  readonly action: string
  /** ARN of what the policy belongs to. */
  readonly resource: string
  /** ARN of what the service acts for: a rule. */
  readonly sourceArn: string
}

/**
 * Checks a resource policy: statements as of an identity policy, each with a `Principal` (`*`, `{ "AWS": … }` or `{ "Service": … }`).
 *
 * @throws ConfigError `PIPE_IAM_POLICY` with the place in `details.path`.
 */
export function prepareResourcePolicy(owner: string, policy: unknown): PreparedResourcePolicy {
  const { Statement, ...document } = policy as { readonly Statement?: unknown }
  const given = (Array.isArray(Statement) ? Statement : [Statement]) as Readonly<Record<string, unknown>>[]
  const principals = given.map((statement, i) => principalsOf(owner, statement, `Statement[${i}].Principal`))
  const plain = given.map((statement) => {
    const { Principal: _, ...rest } = statement ?? {}
    return rest
  })
  const statements = preparePolicy(owner, { ...document, Statement: plain })
  return { statements: statements.map((statement, i) => ({ principals: principals[i]!, statement })) }
}

function principalsOf(owner: string, statement: Readonly<Record<string, unknown>> | undefined, path: string): readonly string[] {
  const principal = statement?.['Principal']
  if (principal === '*') return ['*']
  const fail = () => {
    const message = `The policy of ${owner}, ${path}: is not "*", { "AWS": … } or { "Service": … }.`
    throw new ConfigError(message, { code: 'PIPE_IAM_POLICY', details: { owner, path } })
  }
  if (typeof principal !== 'object' || principal === null) return fail()
  return Object.entries(principal).flatMap(([kind, value]) => {
    const names = (Array.isArray(value) ? value : [value]) as unknown[]
    if ((kind !== 'AWS' && kind !== 'Service') || !names.every((name) => typeof name === 'string')) return fail()
    return names as string[]
  })
}

/** Whether a resource's policy lets a service do something. A service has no policy of its own: nothing else can allow it. */
export function allowsService(
  policy: PreparedResourcePolicy | undefined,
  { service, action, resource, sourceArn }: ServiceRequest,
): boolean {
  if (!policy) return false
  const own = policy.statements.filter(({ principals }) => principals.includes('*') || principals.includes(service))
  const context = new Map([
    ['aws:sourcearn', sourceArn],
    ['aws:sourceaccount', localAccount],
    ['aws:securetransport', 'true'],
  ])
  return (
    decide(
      own.map(({ statement }) => statement),
      action,
      resource,
      context,
    ).outcome === 'allowed'
  )
}
