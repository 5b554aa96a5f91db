import { AwsError, type Principal } from '../service'
import type { Operation, OperationContext } from './operation'
import { checkPreparable } from './prepare-statement'
import { maxPreparedStatements, type PreparedStatement } from './prepared-statements'
import { AthenaFailure } from './query-engine'
import { invalidRequest, optionalInteger, optionalText, optionalTexts, pageOf, type RequestBody, requiredText } from './request'

const namePattern = /^[a-zA-Z_][a-zA-Z0-9_@:]{1,256}$/

/** Prepared statements of a workgroup: create, read, change, delete, list. */
export function preparedStatementOperations(
  context: Pick<OperationContext, 'prepared' | 'workgroups' | 'now'>,
  may: (principal: Principal, action: string, workgroup: string) => void,
): Readonly<Record<string, Operation>> {
  const { prepared, workgroups } = context
  const workgroupOf = (body: RequestBody, principal: Principal, action: string): string => {
    const name = requiredText(body, 'WorkGroup', { pattern: /^[a-zA-Z0-9._-]{1,128}$/ })
    may(principal, action, name)
    if (!workgroups.get(name)) throw invalidRequest(`WorkGroup ${name} is not found.`)
    return name
  }
  const nameOf = (body: RequestBody) => requiredText(body, 'StatementName', { pattern: namePattern })
  const existing = (body: RequestBody, workgroup: string): PreparedStatement => {
    const name = nameOf(body)
    const statement = prepared.get(workgroup, name)
    if (!statement)
      throw new AwsError('ResourceNotFoundException', `PreparedStatement ${name} was not found in workGroup ${workgroup}`, 400)
    return statement
  }
  const written = (body: RequestBody) => {
    const sql = requiredText(body, 'QueryStatement', { min: 1, max: 262_144 })
    try {
      checkPreparable(sql)
    } catch (error) {
      if (error instanceof AthenaFailure) throw invalidRequest(error.message)
      throw error
    }
    return { sql, description: optionalText(body, 'Description', { min: 1, max: 1024 }), changedAt: context.now() }
  }
  return {
    CreatePreparedStatement(body, principal) {
      const workgroup = workgroupOf(body, principal, 'CreatePreparedStatement')
      const name = nameOf(body)
      if (prepared.get(workgroup, name))
        throw invalidRequest(`PreparedStatement ${name} already exists in workGroup ${workgroup}`)
      if (prepared.list(workgroup).length >= maxPreparedStatements) {
        throw invalidRequest(`WorkGroup ${workgroup} has ${maxPreparedStatements} prepared statements, the most there can be.`)
      }
      prepared.put({ workgroup, name, ...written(body) })
      return {}
    },
    GetPreparedStatement(body, principal) {
      return { PreparedStatement: view(existing(body, workgroupOf(body, principal, 'GetPreparedStatement'))) }
    },
    UpdatePreparedStatement(body, principal) {
      const workgroup = workgroupOf(body, principal, 'UpdatePreparedStatement')
      prepared.put({ workgroup, name: existing(body, workgroup).name, ...written(body) })
      return {}
    },
    DeletePreparedStatement(body, principal) {
      const workgroup = workgroupOf(body, principal, 'DeletePreparedStatement')
      prepared.delete(workgroup, existing(body, workgroup).name)
      return {}
    },
    ListPreparedStatements(body, principal) {
      const workgroup = workgroupOf(body, principal, 'ListPreparedStatements')
      const size = optionalInteger(body, 'MaxResults', 1, 50) ?? 50
      const { page, next } = pageOf(prepared.list(workgroup), `prepared ${workgroup}`, optionalText(body, 'NextToken'), size)
      const summary = page.map(({ name, changedAt }) => ({ StatementName: name, LastModifiedTime: changedAt / 1000 }))
      return { PreparedStatements: summary, ...(next === undefined ? {} : { NextToken: next }) }
    },
    BatchGetPreparedStatement(body, principal) {
      const workgroup = workgroupOf(body, principal, 'BatchGetPreparedStatement')
      const names = optionalTexts(body, 'PreparedStatementNames', 256) ?? []
      const found = names.map((name) => prepared.get(workgroup, name))
      return {
        PreparedStatements: found.filter((one) => one !== undefined).map(view),
        UnprocessedPreparedStatementNames: names
          .filter((_, i) => found[i] === undefined)
          .map((name) => ({
            StatementName: name,
            ErrorCode: 'STATEMENT_NOT_FOUND',
            ErrorMessage: `PreparedStatement ${name} was not found in workGroup ${workgroup}`,
          })),
      }
    },
  }
}

function view({ workgroup, name, sql, description, changedAt }: PreparedStatement): object {
  return {
    StatementName: name,
    QueryStatement: sql,
    WorkGroupName: workgroup,
    ...(description === undefined ? {} : { Description: description }),
    LastModifiedTime: changedAt / 1000,
  }
}
