import { type PreparedStatement, preparePolicy } from '../iam/policy'
import { AwsError, localAccount, type Principal } from '../service'

/** A statement of a bucket policy: whom it is about, and what it says. */
export interface ResourceStatement {
  /** `*`, accounts or ARNs; principals of other kinds than AWS never call here. */
  readonly principals: readonly string[]
  readonly isNegated: boolean
  readonly statement: PreparedStatement
}

/**
 * The statements of a bucket policy.
 *
 * @throws {@link AwsError} MalformedPolicy, also for what the local IAM cannot decide exactly, with its place.
 */
export function resourceStatements(bucket: string, text: string): readonly ResourceStatement[] {
  let document: { Statement?: unknown }
  try {
    document = JSON.parse(text) as typeof document
  } catch {
    throw malformed('This policy contains invalid Json')
  }
  if (typeof document !== 'object' || document === null) throw malformed('This policy contains invalid Json')
  const list = (Array.isArray(document.Statement) ? document.Statement : [document.Statement]) as Record<string, unknown>[]
  const principals = list.map((statement) => principalsOf(statement ?? {}))
  const bare = list.map((statement) => {
    const { Principal: _, NotPrincipal: __, ...rest } = statement ?? {}
    return rest
  })
  try {
    const prepared = preparePolicy(`bucket ${bucket}`, { ...document, Statement: bare })
    for (const { resources } of prepared) {
      const own = `arn:aws:s3:::${bucket}`
      if (!resources.every((resource) => resource === own || resource.startsWith(`${own}/`)))
        throw malformed('Policy has invalid resource')
    }
    return prepared.map((statement, i) => ({ ...principals[i]!, statement }))
  } catch (error) {
    throw error instanceof AwsError ? error : malformed((error as Error).message)
  }
}

function principalsOf(statement: Readonly<Record<string, unknown>>): Omit<ResourceStatement, 'statement'> {
  const isNegated = statement['NotPrincipal'] !== undefined
  const principal = statement['Principal'] ?? statement['NotPrincipal']
  if (principal === undefined) throw malformed('Missing required field Principal')
  if (principal === '*') return { principals: ['*'], isNegated }
  const aws = (principal as { AWS?: string | readonly string[] }).AWS ?? []
  return { principals: typeof aws === 'string' ? [aws] : aws, isNegated }
}

/** Whether a statement is about a principal. */
export function concerns({ principals, isNegated }: ResourceStatement, principal: Principal): boolean {
  const account = principal.account ?? localAccount
  const names = ['*', account, `arn:aws:iam::${account}:root`, principalArn(principal)]
  return principals.some((one) => names.includes(one)) !== isNegated
}

/** The ARN by which a policy names a principal: the root user, or a role. */
export function principalArn({ name, account = localAccount }: Principal): string {
  return name === 'root' ? `arn:aws:iam::${account}:root` : `arn:aws:iam::${account}:role/${name}`
}

function malformed(text: string): AwsError {
  return new AwsError('MalformedPolicy', text)
}
