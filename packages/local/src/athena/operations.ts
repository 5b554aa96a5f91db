import { AwsError, localAccount, type Principal } from '../service'
import type { Execution } from './execution'
import { executionView } from './execution-view'
import { TokenMismatch } from './executions'
import { metadataOperations } from './metadata-operations'
import type { Operation, OperationContext } from './operation'
import { createPermissions, workgroupArn } from './permissions'
import { preparedStatementOperations } from './prepared-statement-operations'
import { AthenaFailure } from './query-engine'
import {
  invalidRequest,
  optionalInteger,
  optionalText,
  optionalTexts,
  pageOf,
  type RequestBody,
  refuseMembers,
  requiredText,
  structure,
} from './request'
import { resultPage } from './result-pages'
import { parseLocation, type S3Location } from './s3-location'
import { workgroupOperations } from './workgroup-operations'
import type { Workgroup } from './workgroups'

/** Operations by name, as in `x-amz-target: AmazonAthena.<name>`. */
export function athenaOperations(context: OperationContext): Readonly<Record<string, Operation>> {
  const { executions, files } = context
  const may = (principal: Principal, action: string, workgroup: string) =>
    context.authorizer.authorize(principal, `athena:${action}`, workgroupArn(workgroup))
  const found = (body: RequestBody, principal: Principal, action: string): Execution => {
    const id = requiredText(body, 'QueryExecutionId')
    const execution = executions.get(id)
    // The workgroup of an unknown id is unknown, too.
    may(principal, action, execution?.request.workgroup ?? 'primary')
    if (!execution) throw invalidRequest(`QueryExecution ${id} was not found`)
    return execution
  }

  return {
    StartQueryExecution(body, principal) {
      const request = startRequest(body, context, principal, may)
      try {
        return { QueryExecutionId: executions.start(request).id }
      } catch (error) {
        if (error instanceof TokenMismatch) throw invalidRequest('Idempotent parameters do not match')
        throw error
      }
    },
    GetQueryExecution: (body, principal) => ({ QueryExecution: executionView(found(body, principal, 'GetQueryExecution')) }),
    BatchGetQueryExecution(body, principal) {
      const ids = optionalTexts(body, 'QueryExecutionIds', 50)
      if (!ids)
        throw invalidRequest(
          "1 validation error detected: Value null at 'queryExecutionIds' failed to satisfy constraint: Member must not be null",
        )
      const known: Execution[] = []
      const missing: object[] = []
      for (const id of new Set(ids)) {
        const execution = executions.get(id)
        if (execution) known.push(execution)
        else
          missing.push({ QueryExecutionId: id, ErrorCode: 'INVALID_INPUT', ErrorMessage: `QueryExecution ${id} was not found` })
      }
      const workgroups = new Set(known.map((execution) => execution.request.workgroup))
      for (const workgroup of workgroups.size > 0 ? workgroups : ['primary']) may(principal, 'BatchGetQueryExecution', workgroup)
      return { QueryExecutions: known.map(executionView), UnprocessedQueryExecutionIds: missing }
    },
    async GetQueryResults(body, principal) {
      const execution = found(body, principal, 'GetQueryResults')
      const maxResults = optionalInteger(body, 'MaxResults', 1, 1000) ?? 1000
      const nextToken = optionalText(body, 'NextToken', { min: 1, max: 1024 })
      const kind = optionalText(body, 'QueryResultType') ?? 'DATA_ROWS'
      if (kind !== 'DATA_ROWS' && kind !== 'DATA_MANIFEST')
        throw invalidRequest(`QueryResultType ${kind} is not DATA_ROWS or DATA_MANIFEST`)
      if (execution.outcome?.resultKey !== undefined) mayReadResult(execution, principal, context)
      return resultPage(execution, files, { maxResults, nextToken, manifest: kind === 'DATA_MANIFEST' })
    },
    StopQueryExecution(body, principal) {
      executions.stop(found(body, principal, 'StopQueryExecution'))
      return {}
    },
    ListQueryExecutions(body, principal) {
      const workgroup = existingWorkgroup(body, context).name
      may(principal, 'ListQueryExecutions', workgroup)
      const size = optionalInteger(body, 'MaxResults', 0, 50) || 50
      const ids = executions.list(workgroup).map((execution) => execution.id)
      const { page, next } = pageOf(ids, `executions ${workgroup}`, optionalText(body, 'NextToken'), size)
      return { QueryExecutionIds: page, ...(next === undefined ? {} : { NextToken: next }) }
    },
    ...workgroupOperations(context, may),
    ...preparedStatementOperations(context, may),
    ...metadataOperations(context),
  }
}

function existingWorkgroup(body: RequestBody, context: OperationContext): Workgroup {
  const name = optionalText(body, 'WorkGroup', { pattern: /^[a-zA-Z0-9._-]{1,128}$/ }) ?? 'primary'
  const workgroup = context.workgroups.get(name)
  if (!workgroup) throw invalidRequest(`WorkGroup ${name} is not found.`)
  return workgroup
}

/** Longest statement, in bytes of UTF-8 (Athena User Guide, Service Quotas). */
const maxQueryBytes = 262_144

function startRequest(
  body: RequestBody,
  context: OperationContext,
  principal: Principal,
  may: (principal: Principal, action: string, workgroup: string) => void,
) {
  const workgroup = existingWorkgroup(body, context)
  may(principal, 'StartQueryExecution', workgroup.name)
  const query = requiredText(body, 'QueryString')
  const bytes = Buffer.byteLength(query)
  if (bytes > maxQueryBytes) {
    throw invalidRequest(`Query string is ${bytes} bytes long; the maximum is ${maxQueryBytes} bytes.`)
  }
  const token = optionalText(body, 'ClientRequestToken', { min: 32, max: 128 })
  const place = structure(body, 'QueryExecutionContext')
  const catalog = optionalText(place, 'Catalog', { min: 1, max: 256 })
  if (catalog !== undefined && catalog.toLowerCase() !== 'awsdatacatalog')
    throw invalidRequest(`Catalog ${catalog} does not exist; the local Athena has AwsDataCatalog.`)
  const database = optionalText(place, 'Database', { min: 1, max: 255 })
  const parameters = optionalTexts(body, 'ExecutionParameters', 1000) ?? []
  for (const parameter of parameters) {
    if (parameter.length < 1 || parameter.length > 1024) {
      throw invalidRequest(
        "1 validation error detected: Value at 'executionParameters' failed to satisfy constraint: Member must have length less than or equal to 1024, and greater than or equal to 1",
      )
    }
  }
  refuseMembers(body, 'StartQueryExecution', ['EngineConfiguration'])
  const result = structure(body, 'ResultConfiguration')
  refuseMembers(result, 'ResultConfiguration', ['AclConfiguration'])
  const encryption = structure(result, 'EncryptionConfiguration')
  if (encryption['EncryptionOption'] !== undefined && encryption['EncryptionOption'] !== 'SSE_S3') {
    refuseMembers(encryption, 'EncryptionConfiguration', ['EncryptionOption'])
  }
  const owner = optionalText(result, 'ExpectedBucketOwner', { pattern: /^\d{12}$/ })
  const output = outputLocation(optionalText(result, 'OutputLocation'), workgroup)
  if (!context.files.hasBucket(output.bucket)) throw invalidRequest(`Unable to verify/create output bucket ${output.bucket}`)
  if (owner !== undefined && owner !== localAccount) {
    throw invalidRequest(
      `Unable to verify/create output bucket ${output.bucket}: it is owned by ${localAccount}, not by ${owner}`,
    )
  }
  return {
    query,
    parameters,
    token,
    catalog,
    database,
    workgroup: workgroup.name,
    output,
    outputEnforced: workgroup.enforced,
    maxScannedBytes: workgroup.maxScannedBytes,
    reuseMaxAgeMs: reuseAge(body),
    principal,
  }
}

/** Longest age of a result that may be reused: 7 days. */
function reuseAge(body: RequestBody): number | undefined {
  const byAge = structure(structure(body, 'ResultReuseConfiguration'), 'ResultReuseByAgeConfiguration')
  const minutes = optionalInteger(byAge, 'MaxAgeInMinutes', 0, 10_080) ?? 60
  return byAge['Enabled'] === true ? minutes * 60_000 : undefined
}

function outputLocation(client: string | undefined, workgroup: Workgroup): S3Location {
  const location = workgroup.enforced ? workgroup.outputLocation : (client ?? workgroup.outputLocation)
  if (location === undefined || location === '') {
    throw invalidRequest(
      'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.',
    )
  }
  try {
    return parseLocation(location)
  } catch (cause) {
    if (!(cause instanceof AthenaFailure)) throw cause
    throw invalidRequest(`outputLocation is not a valid S3 path: ${location}`)
  }
}

/** GetQueryResults reads the result object with the caller's rights. */
function mayReadResult(execution: Execution, principal: Principal, context: OperationContext): void {
  try {
    createPermissions(context.authorizer, principal).getObject(
      execution.request.output.bucket,
      execution.outcome?.resultKey as string,
    )
  } catch (error) {
    if (error instanceof AthenaFailure) throw new AwsError('AccessDeniedException', error.message, 400)
    throw error
  }
}
