import { asJsonError, readCallBody, sendJson, sendText } from '../json-call'
import { type Authorizer, AwsError, type Service, type ServiceCall } from '../service'
import type { AsyncInvoker } from './async-invoker'
import { answerConfigurationCall } from './configuration-api'
import type { EventSourceMappings } from './event-source-mappings'
import { functionArn } from './function-config'
import type { FunctionPolicies } from './function-policy'
import type { DeployedFunction, LambdaHost } from './host'

/** Options of {@link createLambdaService}. */
export interface LambdaServiceOptions {
  readonly host: LambdaHost
  readonly authorizer: Authorizer
  readonly asyncInvoker: AsyncInvoker
  readonly policies: FunctionPolicies
  readonly mappings: EventSourceMappings
}

const contentType = 'application/json'
const rootPath = '/2015-03-31/functions'
const maxSyncBytes = 6 * 1024 * 1024
const maxAsyncBytes = 1024 * 1024
/** The log that an answer carries with LogType Tail. */
const tailBytes = 4096

/**
 * The API of Lambda as far as the host has it: Invoke, GetFunction, GetFunctionConfiguration, ListFunctions, permissions, event source mappings of
 * queues, settings of asynchronous invocations. Functions are deployed by the runtime, not by calls.
 */
export function createLambdaService(options: LambdaServiceOptions): Service {
  return {
    name: 'lambda',
    matches: (call) => /^\/\d{4}-\d{2}-\d{2}\/(functions|event-source-mappings)(\/|$)/.test(call.url.pathname),
    async handle(call) {
      try {
        await route(call, options)
      } catch (error) {
        const { code, message, status } = asJsonError(error, 'ServiceException')
        const body = { Type: status < 500 ? 'User' : 'Server', Message: message, message }
        sendJson(call, status, body, { contentType, headers: { 'x-amzn-errortype': code } })
      }
    },
  }
}

async function route(call: ServiceCall, options: LambdaServiceOptions): Promise<void> {
  const answer = await answerConfigurationCall(call, {
    ...options,
    nameOf: (given) => existing(options.host, nameOf(given, call)).name,
  })
  if (answer) return answer.body ? sendJson(call, answer.status, answer.body, { contentType }) : end(call, answer.status)
  const { method } = call.request
  const rest = call.url.pathname.startsWith(rootPath) ? call.url.pathname.slice(rootPath.length).split('/').slice(1) : ['?', '?']
  const [name, operation] = rest
  if (method === 'GET' && (name === undefined || name === '')) return listFunctions(call, options)
  if (method === 'POST' && operation === 'invocations') return invoke(call, options, decodeURIComponent(name!))
  if (method === 'GET' && name && operation === undefined) return getFunction(call, options, decodeURIComponent(name), true)
  if (method === 'GET' && operation === 'configuration') return getFunction(call, options, decodeURIComponent(name!), false)
  const hint =
    'It knows Invoke, GetFunction, GetFunctionConfiguration, ListFunctions, permissions, event source mappings and event invoke configurations; functions are deployed with lambda.deploy.'
  throw new AwsError('NotImplemented', `The local Lambda does not implement ${method} ${call.url.pathname}. ${hint}`, 501)
}

async function invoke(call: ServiceCall, { host, authorizer, asyncInvoker }: LambdaServiceOptions, given: string): Promise<void> {
  const type = headerOf(call, 'x-amz-invocation-type') ?? 'RequestResponse'
  if (!['RequestResponse', 'Event', 'DryRun'].includes(type)) {
    throw new AwsError('InvalidParameterValueException', `The invocation type "${type}" is not RequestResponse, Event or DryRun.`)
  }
  // The caller's rights come first: what exists is nothing for others to know.
  const name = nameOf(given, call)
  authorizer.authorize(call.principal, 'lambda:InvokeFunction', functionArn(name))
  const target = existing(host, name)
  const limit = type === 'Event' ? maxAsyncBytes : maxSyncBytes
  const text = await readCallBody(call, limit, (bytes) => {
    const message = `${bytes} byte payload is too large for the ${type} invocation type (limit ${limit} bytes)`
    return new AwsError('RequestTooLargeException', message, 413)
  })
  const event = parseEvent(text)
  if (type === 'DryRun') return end(call, 204)
  if (type === 'Event') {
    // Answered at once; the clock of the runtime waits for the invocation all the same.
    asyncInvoker.invoke(name, event)
    return end(call, 202)
  }
  // A caller that goes away does not end the function, as on AWS.
  const result = await host.invoke(target.name, event)
  const headers: Record<string, string> = { 'x-amz-executed-version': '$LATEST' }
  if (result.functionError) headers['x-amz-function-error'] = result.functionError
  if (headerOf(call, 'x-amz-log-type') === 'Tail') {
    headers['x-amz-log-result'] = Buffer.from(`${result.logs.join('\n')}\n`)
      .subarray(-tailBytes)
      .toString('base64')
  }
  sendText(call, 200, result.payloadText, { contentType, headers })
}

function getFunction(call: ServiceCall, { host, authorizer }: LambdaServiceOptions, given: string, whole: boolean): void {
  const name = nameOf(given, call)
  authorizer.authorize(call.principal, whole ? 'lambda:GetFunction' : 'lambda:GetFunctionConfiguration', functionArn(name))
  const Configuration = configurationOf(existing(host, name))
  sendJson(call, 200, whole ? { Configuration, Tags: {} } : Configuration, { contentType })
}

function listFunctions(call: ServiceCall, { host, authorizer }: LambdaServiceOptions): void {
  authorizer.authorize(call.principal, 'lambda:ListFunctions', '*')
  const limit = Number(call.url.searchParams.get('MaxItems') ?? 50)
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
    throw new AwsError('InvalidParameterValueException', 'MaxItems is a whole number from 1 to 10000.')
  }
  const after = Buffer.from(call.url.searchParams.get('Marker') ?? '', 'base64url').toString('utf8')
  const all = host.list().filter(({ name }) => name > after)
  const page = all.slice(0, limit)
  const NextMarker = page.length < all.length ? Buffer.from(page.at(-1)!.name).toString('base64url') : null
  sendJson(call, 200, { Functions: page.map(configurationOf), NextMarker }, { contentType })
}

function configurationOf(deployed: DeployedFunction): object {
  const { name, arn, handler, timeoutMs, memoryMb, codeBytes, codeSha256, deployedAt, env } = deployed
  return {
    FunctionName: name,
    FunctionArn: arn,
    Runtime: 'nodejs20.x',
    Role: `arn:aws:iam::${arn.split(':')[4]}:role/${name}`,
    Handler: `index.${handler}`,
    CodeSize: codeBytes,
    CodeSha256: codeSha256,
    Timeout: Math.ceil(timeoutMs / 1000),
    MemorySize: memoryMb,
    LastModified: new Date(deployedAt).toISOString().replace('Z', '+0000'),
    Environment: { Variables: env },
    Version: '$LATEST',
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
    Architectures: ['x86_64'],
  }
}

/** The name in a name, a partial or a whole ARN, each with or without `:$LATEST`. */
function nameOf(given: string, call: ServiceCall): string {
  const match =
    /^(?:arn:aws:lambda:[a-z0-9-]+:)?(?:\d{12}:function:)?(?:function:)?([A-Za-z0-9_-]{1,64})(?::([$A-Za-z0-9_-]+))?$/.exec(given)
  if (!match) throw new AwsError('InvalidParameterValueException', `"${given}" is not the name or ARN of a function.`)
  const qualifier = match[2] ?? call.url.searchParams.get('Qualifier') ?? '$LATEST'
  if (qualifier !== '$LATEST') {
    throw new AwsError(
      'ResourceNotFoundException',
      `Function not found: ${functionArn(match[1]!)}:${qualifier} (the local Lambda has $LATEST only)`,
      404,
    )
  }
  return match[1]!
}

function existing(host: LambdaHost, name: string): DeployedFunction {
  const found = host.get(name)
  if (!found) throw new AwsError('ResourceNotFoundException', `Function not found: ${functionArn(name)}`, 404)
  return found
}

function parseEvent(text: string): unknown {
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch (error) {
    const message = `Could not parse request body into json: ${(error as Error).message}`
    throw new AwsError('InvalidRequestContentException', message)
  }
}

function end(call: ServiceCall, status: number): void {
  call.response.writeHead(status, { 'content-length': 0 })
  call.response.end()
}

function headerOf(call: ServiceCall, name: string): string | undefined {
  const value = call.request.headers[name]
  return typeof value === 'string' ? value : undefined
}
