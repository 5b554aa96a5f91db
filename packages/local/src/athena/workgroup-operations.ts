import type { Principal } from '../service'
import type { Operation, OperationContext } from './operation'
import { AthenaFailure } from './query-engine'
import {
  invalidRequest,
  optionalInteger,
  optionalText,
  pageOf,
  type RequestBody,
  refuseMembers,
  requiredText,
  structure,
} from './request'
import { parseLocation } from './s3-location'
import type { Workgroup } from './workgroups'

const namePattern = /^[a-zA-Z0-9._-]{1,128}$/

// Settings that change what queries do and are not modelled.
const unmodelled = [
  'CustomerContentEncryptionConfiguration',
  'ExecutionRole',
  'IdentityCenterConfiguration',
  'ManagedQueryResultsConfiguration',
  'QueryResultsS3AccessGrantsConfiguration',
  'AdditionalConfiguration',
]

/** Workgroups: a name, an output location and whether it is enforced. */
export function workgroupOperations(
  context: Pick<OperationContext, 'workgroups' | 'now' | 'executions'>,
  may: (principal: Principal, action: string, workgroup: string) => void,
): Readonly<Record<string, Operation>> {
  const { workgroups } = context
  const existing = (body: RequestBody, principal: Principal, action: string): Workgroup => {
    const name = requiredText(body, 'WorkGroup', { pattern: namePattern })
    may(principal, action, name)
    const workgroup = workgroups.get(name)
    if (!workgroup) throw invalidRequest(`WorkGroup ${name} is not found.`)
    return workgroup
  }
  return {
    GetWorkGroup: (body, principal) => ({ WorkGroup: view(existing(body, principal, 'GetWorkGroup')) }),
    ListWorkGroups(body, principal) {
      may(principal, 'ListWorkGroups', '*')
      const size = optionalInteger(body, 'MaxResults', 1, 50) ?? 50
      const { page, next } = pageOf(workgroups.all(), 'workgroups', optionalText(body, 'NextToken'), size)
      const summary = page.map(({ name, description = '', createdAt }) => ({
        Name: name,
        State: 'ENABLED',
        Description: description,
        CreationTime: createdAt / 1000,
        EngineVersion: engineVersion,
      }))
      return { WorkGroups: summary, ...(next === undefined ? {} : { NextToken: next }) }
    },
    CreateWorkGroup(body, principal) {
      const name = requiredText(body, 'Name', { pattern: namePattern })
      may(principal, 'CreateWorkGroup', name)
      if (workgroups.get(name)) throw invalidRequest('WorkGroup is already created')
      const configuration = structure(body, 'Configuration')
      refuseMembers(configuration, 'Configuration', unmodelled)
      const location = optionalText(structure(configuration, 'ResultConfiguration'), 'OutputLocation')
      workgroups.put({
        name,
        description: optionalText(body, 'Description', { max: 1024 }),
        outputLocation: checkedLocation(location),
        // On AWS a new workgroup enforces its settings unless told otherwise.
        enforced: configuration['EnforceWorkGroupConfiguration'] !== false && location !== undefined,
        maxScannedBytes: scanLimit(configuration),
        createdAt: context.now(),
      })
      return {}
    },
    UpdateWorkGroup(body, principal) {
      const workgroup = existing(body, principal, 'UpdateWorkGroup')
      const updates = structure(body, 'ConfigurationUpdates')
      refuseMembers(updates, 'ConfigurationUpdates', unmodelled)
      refuseMembers(body, 'UpdateWorkGroup', ['State'])
      const result = structure(updates, 'ResultConfigurationUpdates')
      const location = optionalText(result, 'OutputLocation')
      const removed = result['RemoveOutputLocation'] === true
      const enforced = updates['EnforceWorkGroupConfiguration']
      workgroups.put({
        ...workgroup,
        description: optionalText(body, 'Description', { max: 1024 }) ?? workgroup.description,
        outputLocation: removed ? undefined : (checkedLocation(location) ?? workgroup.outputLocation),
        enforced: typeof enforced === 'boolean' ? enforced : workgroup.enforced,
        maxScannedBytes:
          updates['RemoveBytesScannedCutoffPerQuery'] === true ? undefined : (scanLimit(updates) ?? workgroup.maxScannedBytes),
      })
      return {}
    },
    DeleteWorkGroup(body, principal) {
      const { name } = existing(body, principal, 'DeleteWorkGroup')
      if (name === 'primary') throw invalidRequest('The primary workgroup cannot be deleted.')
      if (context.executions.list(name).length > 0 && body['RecursiveDeleteOption'] !== true) {
        throw invalidRequest(`WorkGroup ${name} is not empty`)
      }
      workgroups.delete(name)
      return {}
    },
  }
}

/** The least that AWS takes is 10 MB. */
function scanLimit(body: RequestBody): number | undefined {
  return optionalInteger(body, 'BytesScannedCutoffPerQuery', 10_000_000, Number.MAX_SAFE_INTEGER)
}

function checkedLocation(location: string | undefined): string | undefined {
  if (location === undefined) return undefined
  try {
    parseLocation(location)
  } catch (error) {
    if (error instanceof AthenaFailure) throw invalidRequest(`outputLocation is not a valid S3 path: ${location}`)
    throw error
  }
  return location
}

const engineVersion = { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' }

function view(workgroup: Workgroup): object {
  return {
    Name: workgroup.name,
    State: 'ENABLED',
    ...(workgroup.description === undefined ? {} : { Description: workgroup.description }),
    CreationTime: workgroup.createdAt / 1000,
    Configuration: {
      ResultConfiguration: workgroup.outputLocation === undefined ? {} : { OutputLocation: workgroup.outputLocation },
      EnforceWorkGroupConfiguration: workgroup.enforced,
      ...(workgroup.maxScannedBytes === undefined ? {} : { BytesScannedCutoffPerQuery: workgroup.maxScannedBytes }),
      PublishCloudWatchMetricsEnabled: false,
      RequesterPaysEnabled: false,
      EngineVersion: engineVersion,
    },
  }
}
