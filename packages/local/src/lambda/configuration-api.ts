import { readCallBody } from '../json-call'
import { type Authorizer, AwsError, localAccount, localRegion, type ServiceCall } from '../service'
import type { AsyncInvoker } from './async-invoker'
import type { EventSourceMappings } from './event-source-mappings'
import { functionArn } from './function-config'
import type { FunctionPolicies } from './function-policy'

/** What the calls work on. */
export interface ConfigurationApiOptions {
  readonly authorizer: Authorizer
  readonly policies: FunctionPolicies
  readonly mappings: EventSourceMappings
  readonly asyncInvoker: AsyncInvoker
  /** @throws AwsError when there is no such function. */
  nameOf(given: string): string
}

/** The answer of a call. */
export interface ApiAnswer {
  readonly status: number
  readonly body?: object
}

const maxBodyBytes = 256 * 1024
const mappingPath = /^\/2015-03-31\/event-source-mappings\/?([^/]*)$/
const policyPath = /^\/2015-03-31\/functions\/([^/]+)\/policy\/?([^/]*)$/
const invokeConfigPath = /^\/2019-09-25\/functions\/([^/]+)\/event-invoke-config$/

/**
 * Answers the calls that say who may invoke a function, from where it is fed and what happens to asynchronous invocations that fail;
 * `undefined` for other calls.
 */
export async function answerConfigurationCall(
  call: ServiceCall,
  options: ConfigurationApiOptions,
): Promise<ApiAnswer | undefined> {
  const { pathname } = call.url
  const mapping = mappingPath.exec(pathname)
  if (mapping) return answerMapping(call, options, mapping[1]!)
  const policy = policyPath.exec(pathname)
  if (policy) return answerPolicy(call, options, decodeURIComponent(policy[1]!), decodeURIComponent(policy[2]!))
  const invokeConfig = invokeConfigPath.exec(pathname)
  if (invokeConfig) return answerInvokeConfig(call, options, decodeURIComponent(invokeConfig[1]!))
  return undefined
}

async function answerMapping(
  call: ServiceCall,
  { authorizer, mappings, nameOf }: ConfigurationApiOptions,
  uuid: string,
): Promise<ApiAnswer> {
  const allow = (action: string) =>
    authorizer.authorize(
      call.principal,
      `lambda:${action}`,
      `arn:aws:lambda:${localRegion}:${localAccount}:event-source-mapping:${uuid || '*'}`,
    )
  switch (`${call.request.method} ${uuid === '' ? 'all' : 'one'}`) {
    case 'POST all': {
      allow('CreateEventSourceMapping')
      const input = await readInput(call)
      return { status: 202, body: mappings.create(input, nameOf(String(input['FunctionName']))) }
    }
    case 'GET all': {
      allow('ListEventSourceMappings')
      const { searchParams } = call.url
      const [name, sourceArn] = [searchParams.get('FunctionName'), searchParams.get('EventSourceArn')]
      const filter = { ...(name === null ? {} : { functionName: nameOf(name) }), ...(sourceArn === null ? {} : { sourceArn }) }
      return { status: 200, body: { EventSourceMappings: mappings.list(filter) } }
    }
    case 'GET one':
      allow('GetEventSourceMapping')
      return { status: 200, body: mappings.get(uuid) }
    case 'PUT one':
      allow('UpdateEventSourceMapping')
      return { status: 202, body: mappings.update(uuid, await readInput(call)) }
    case 'DELETE one':
      allow('DeleteEventSourceMapping')
      return { status: 202, body: mappings.remove(uuid) }
    default:
      throw notImplemented(call)
  }
}

async function answerPolicy(
  call: ServiceCall,
  { authorizer, policies, nameOf }: ConfigurationApiOptions,
  given: string,
  sid: string,
): Promise<ApiAnswer> {
  const name = nameOf(given)
  const allow = (action: string) => authorizer.authorize(call.principal, `lambda:${action}`, functionArn(name))
  switch (call.request.method) {
    case 'POST': {
      allow('AddPermission')
      const { StatementId, Action, Principal, SourceArn, ...more } = await readInput(call)
      const [unknown] = Object.keys(more)
      if (unknown !== undefined) throw invalid(`AddPermission: ${unknown} is not supported by the local Lambda.`)
      if (typeof StatementId !== 'string' || typeof Principal !== 'string')
        throw invalid('StatementId and Principal are required.')
      if (Action !== 'lambda:InvokeFunction')
        throw invalid(`The local Lambda knows the action lambda:InvokeFunction only, not ${String(Action)}.`)
      const permission = {
        statementId: StatementId,
        principal: Principal,
        ...(typeof SourceArn === 'string' ? { sourceArn: SourceArn } : {}),
      }
      return { status: 201, body: { Statement: JSON.stringify(policies.add(name, permission)) } }
    }
    case 'GET': {
      allow('GetPolicy')
      const Policy = policies.text(name)
      if (Policy === undefined) throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404)
      return { status: 200, body: { Policy } }
    }
    case 'DELETE':
      allow('RemovePermission')
      policies.remove(name, sid)
      return { status: 204 }
    default:
      throw notImplemented(call)
  }
}

async function answerInvokeConfig(
  call: ServiceCall,
  { authorizer, asyncInvoker, nameOf }: ConfigurationApiOptions,
  given: string,
): Promise<ApiAnswer> {
  const name = nameOf(given)
  const allow = (action: string) => authorizer.authorize(call.principal, `lambda:${action}`, functionArn(name))
  if (call.request.method === 'PUT') {
    allow('PutFunctionEventInvokeConfig')
    const { MaximumRetryAttempts: retries, MaximumEventAgeInSeconds: age, DestinationConfig } = await readInput(call)
    if (retries !== undefined && ![0, 1, 2].includes(retries as number)) throw invalid('MaximumRetryAttempts must be 0, 1 or 2.')
    if (age !== undefined && !(Number.isInteger(age) && (age as number) >= 60 && (age as number) <= 21_600)) {
      throw invalid('MaximumEventAgeInSeconds must be a whole number from 60 to 21600.')
    }
    const { OnFailure, OnSuccess } = (DestinationConfig ?? {}) as Record<
      'OnFailure' | 'OnSuccess',
      { readonly Destination?: string } | undefined
    >
    for (const destination of [OnFailure?.Destination, OnSuccess?.Destination]) {
      if (destination !== undefined && !destination.startsWith('arn:aws:sqs:'))
        throw invalid(`The destination ${destination} is no queue.`)
    }
    asyncInvoker.configure(name, {
      ...(retries === undefined ? {} : { retries: retries as number }),
      ...(age === undefined ? {} : { maxAgeMs: (age as number) * 1000 }),
      ...(OnFailure?.Destination === undefined ? {} : { onFailure: OnFailure.Destination }),
      ...(OnSuccess?.Destination === undefined ? {} : { onSuccess: OnSuccess.Destination }),
    })
  } else if (call.request.method === 'GET') allow('GetFunctionEventInvokeConfig')
  else throw notImplemented(call)
  const config = asyncInvoker.configOf(name)
  if (!config)
    throw new AwsError('ResourceNotFoundException', `The function ${functionArn(name)} doesn't have an EventInvokeConfig`, 404)
  const { retries = 2, maxAgeMs = 21_600_000, onFailure, onSuccess } = config
  const DestinationConfig = {
    OnFailure: onFailure === undefined ? {} : { Destination: onFailure },
    OnSuccess: onSuccess === undefined ? {} : { Destination: onSuccess },
  }
  const FunctionArn = `${functionArn(name)}:$LATEST`
  return {
    status: 200,
    body: { FunctionArn, MaximumRetryAttempts: retries, MaximumEventAgeInSeconds: maxAgeMs / 1000, DestinationConfig },
  }
}

async function readInput(call: ServiceCall): Promise<Readonly<Record<string, unknown>>> {
  const text = await readCallBody(
    call,
    maxBodyBytes,
    (bytes) => new AwsError('RequestTooLargeException', `A request of ${bytes} bytes is too large.`, 413),
  )
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>
  } catch {
    // Answered below.
  }
  throw new AwsError('InvalidRequestContentException', 'Could not parse request body into json.')
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message)
}

function notImplemented(call: ServiceCall): AwsError {
  return new AwsError('NotImplemented', `The local Lambda does not implement ${call.request.method} ${call.url.pathname}.`, 501)
}
