import { allowsService, prepareResourcePolicy, type ServiceRequest } from '../iam/resource-policy'
import { AwsError } from '../service'
import { type FunctionPermission, functionArn } from './function-config'

interface Statement {
  readonly Sid: string
  readonly Effect: 'Allow'
  readonly Principal: { readonly Service: string }
  readonly Action: string
  readonly Resource: string
  readonly Condition?: object
}

/** The resource policies of a runtime's functions. They outlast a new deployment of the same name. */
export interface FunctionPolicies {
  /** @throws AwsError ResourceConflictException when the statement is there already. */
  add(functionName: string, permission: FunctionPermission): object
  /** Sets the statements that come with a deployment; those of an earlier one go. */
  declare(functionName: string, permissions: readonly FunctionPermission[]): void
  /** @throws AwsError ResourceNotFoundException */
  remove(functionName: string, statementId: string): void
  /** The policy as JSON text; `undefined` when there is none. */
  text(functionName: string): string | undefined
  /** Whether a service may invoke the function. */
  allows(functionName: string, request: Pick<ServiceRequest, 'service' | 'sourceArn'>): boolean
}

/** No permissions yet. */
export function createFunctionPolicies(): FunctionPolicies {
  const statements = new Map<string, Map<string, Statement>>()
  const documentOf = (name: string) => {
    const own = statements.get(name)
    return own && own.size > 0 ? { Version: '2012-10-17', Id: 'default', Statement: [...own.values()] } : undefined
  }
  const declared = new Map<string, readonly string[]>()
  const policies: FunctionPolicies = {
    add(name, { statementId, principal, sourceArn }) {
      const own = statements.get(name) ?? new Map<string, Statement>()
      statements.set(name, own)
      const Sid = statementId ?? `statement-${own.size + 1}`
      if (own.has(Sid)) {
        throw new AwsError(
          'ResourceConflictException',
          `The statement id (${Sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
          409,
        )
      }
      const statement: Statement = {
        Sid,
        Effect: 'Allow',
        Principal: { Service: principal },
        Action: 'lambda:InvokeFunction',
        Resource: functionArn(name),
        ...(sourceArn === undefined ? {} : { Condition: { ArnLike: { 'AWS:SourceArn': sourceArn } } }),
      }
      prepareResourcePolicy(`function ${name}`, { Statement: [statement] })
      own.set(Sid, statement)
      return statement
    },
    declare(name, permissions) {
      for (const sid of declared.get(name) ?? []) statements.get(name)?.delete(sid)
      const ids = permissions.map((permission, i) => permission.statementId ?? `deployed-${i + 1}`)
      declared.set(name, ids)
      permissions.forEach((permission, i) => void policies.add(name, { ...permission, statementId: ids[i]! }))
    },
    remove(name, statementId) {
      if (statements.get(name)?.delete(statementId)) return
      throw new AwsError('ResourceNotFoundException', `Statement ${statementId} is not found in resource policy.`, 404)
    },
    text(name) {
      const document = documentOf(name)
      return document && JSON.stringify(document)
    },
    allows(name, { service, sourceArn }) {
      const document = documentOf(name)
      if (!document) return false
      const request = { service, sourceArn, action: 'lambda:InvokeFunction', resource: functionArn(name) }
      return allowsService(prepareResourcePolicy(`function ${name}`, document), request)
    },
  }
  return policies
}
