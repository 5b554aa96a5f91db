import { type AthenaClient, GetWorkGroupCommand } from '@aws-sdk/client-athena'
import { PipeError } from '@pipe/core'
import { repeat } from './request'

/** What a workgroup decides about its queries. */
export interface WorkgroupSettings {
  /** Its settings win over those of a client. */
  readonly enforced: boolean
  /** Athena keeps the results, for 24 hours; a client may not name a place. */
  readonly managed: boolean
  /** `s3://…` of the workgroup itself. */
  readonly outputLocation: string | undefined
  /** Queries that scan more are cancelled (BytesScannedCutoffPerQuery). */
  readonly maxScannedBytes: number | undefined
}

/**
 * Reads the settings of a workgroup once; a failure is not kept. Gives `undefined` for a caller who may not read them.
 */
export function createWorkgroupReader(
  client: AthenaClient,
  workgroup: string,
): (signal: AbortSignal | undefined) => Promise<WorkgroupSettings | undefined> {
  let read: { readonly settings: WorkgroupSettings | undefined } | undefined
  return async (signal) => {
    read ??= { settings: await readWorkgroup(client, workgroup, signal) }
    return read.settings
  }
}

async function readWorkgroup(
  client: AthenaClient,
  workgroup: string,
  signal: AbortSignal | undefined,
): Promise<WorkgroupSettings | undefined> {
  try {
    const answer = await repeat(
      'GetWorkGroup',
      (abortSignal) => client.send(new GetWorkGroupCommand({ WorkGroup: workgroup }), abortSignal ? { abortSignal } : {}),
      { signal },
    )
    const configuration = answer.WorkGroup?.Configuration
    return {
      enforced: configuration?.EnforceWorkGroupConfiguration === true,
      managed: configuration?.ManagedQueryResultsConfiguration?.Enabled === true,
      outputLocation: configuration?.ResultConfiguration?.OutputLocation,
      maxScannedBytes: configuration?.BytesScannedCutoffPerQuery,
    }
  } catch (error) {
    const denied = PipeError.isInstance(error) && (error.code === 'PIPE_IAM_DENIED' || error.code === 'PIPE_ATHENA_DENIED')
    if (denied) return undefined
    throw error
  }
}
