import { type AthenaClient, GetWorkGroupCommand, type ResultConfiguration } from '@aws-sdk/client-athena'
import { PipeError, type S3Location } from '@pipe/core'
import { repeat } from './request'

/**
 * What to send as ResultConfiguration: the output location, or nothing when none was given or the workgroup decides by itself. A
 * workgroup with managed results answers with an error to any location, and one that enforces its own configuration ignores it.
 *
 * The workgroup is read once. A caller who may not read it sends the location.
 */
export function createResultConfiguration(
  client: AthenaClient,
  workgroup: string,
  output: S3Location | undefined,
): (signal: AbortSignal | undefined) => Promise<ResultConfiguration | undefined> {
  let decidesItself: boolean | undefined
  return async (signal) => {
    if (output === undefined) return undefined
    decidesItself ??= await workgroupDecides(client, workgroup, signal)
    return decidesItself ? undefined : { OutputLocation: output }
  }
}

async function workgroupDecides(client: AthenaClient, workgroup: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    const answer = await repeat(
      'GetWorkGroup',
      (abortSignal) => client.send(new GetWorkGroupCommand({ WorkGroup: workgroup }), abortSignal ? { abortSignal } : {}),
      { signal },
    )
    const configuration = answer.WorkGroup?.Configuration
    return (
      configuration?.EnforceWorkGroupConfiguration === true || configuration?.ManagedQueryResultsConfiguration?.Enabled === true
    )
  } catch (error) {
    const denied = PipeError.isInstance(error) && (error.code === 'PIPE_IAM_DENIED' || error.code === 'PIPE_ATHENA_DENIED')
    if (denied) return false
    throw error
  }
}
