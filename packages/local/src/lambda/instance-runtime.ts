/**
 * What runs around a handler, inside its own process: it is bundled together with the function and plays the role of Lambda's runtime for Node.
 * Imports nothing but node, and must be imported before the function, whose first lines may already log or throw.
 */
import { format } from 'node:util'
import type { FunctionErrorPayload, InstanceMessage, InvokeMessage } from './messages'

type Callback = (error: unknown, result?: unknown) => void

const maxPayloadBytes = 6_291_556

const sendToHost = process.send?.bind(process)

function post(message: InstanceMessage, then?: () => void): void {
  if (!sendToHost) throw new Error('This file runs in a process of the Lambda host of @pipe/local only.')
  sendToHost(message, undefined, undefined, () => then?.())
}

/** Ends the process once its last message is on the way. */
function end(error: FunctionErrorPayload, code: number): void {
  post({ type: 'fatal', error }, () => process.exit(code))
}

// The host is gone: nobody will ever ask again.
process.on('disconnect', () => process.exit(0))
// Ctrl-C reaches the whole process group; the host decides when instances end.
process.on('SIGINT', () => {})
process.on('uncaughtException', (error) => end(errorPayload(error), 129))
process.on('unhandledRejection', (reason) => {
  const { errorMessage, trace = [] } = errorPayload(reason)
  const message = reason instanceof Error ? `${reason.name}: ${errorMessage}` : errorMessage
  end({ errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: message, trace }, 128)
})

for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) {
  console[level] = (...values: unknown[]) => post({ type: 'log', level: level.toUpperCase(), text: format(...values) })
}
console.log = console.info
for (const stream of [process.stdout, process.stderr]) {
  // Through the channel, so that the order against the answer holds. Native code still writes to the pipes themselves.
  stream.write = ((chunk: unknown, encoding?: unknown, callback?: unknown) => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString('utf8')
    const done = [encoding, callback].find((value) => typeof value === 'function') as (() => void) | undefined
    post({ type: 'log', text }, done)
    return true
  }) as typeof stream.write
}

/** Called by the bundle once the function is loaded. */
export function startInstance(handler: unknown, handlerName: string): void {
  if (typeof handler !== 'function') {
    const errorMessage = `index.${handlerName} is undefined or not exported`
    end({ errorType: 'Runtime.HandlerNotFound', errorMessage, trace: [`Runtime.HandlerNotFound: ${errorMessage}`] }, 1)
    return
  }
  process.on('message', (message: InvokeMessage) => {
    run(handler as (event: unknown, context: object, callback: Callback) => unknown, message).then(
      (payload) => post({ type: 'result', payload, rssBytes: process.memoryUsage.rss() }),
      (error: unknown) => {
        const payload = errorPayload(error)
        post({ type: 'log', level: 'ERROR', text: `Invoke Error\t${JSON.stringify(payload)}` })
        post({ type: 'error', error: payload, rssBytes: process.memoryUsage.rss() })
      },
    )
  })
  post({ type: 'ready', rssBytes: process.memoryUsage.rss() })
}

async function run(
  handler: (event: unknown, context: object, callback: Callback) => unknown,
  message: InvokeMessage,
): Promise<string> {
  const event: unknown = JSON.parse(message.event)
  const result = await new Promise((resolve, reject) => {
    const callback: Callback = (error, value) => (error === undefined || error === null ? resolve(value) : reject(error))
    const returned = handler(event, contextOf(message), callback)
    if (isThenable(returned)) returned.then(resolve, reject)
    // As on AWS: what a function returns without a promise is not its answer. One with three parameters answers by its callback.
    else if (handler.length < 3) setImmediate(() => resolve(null))
  })
  const payload = JSON.stringify(result) ?? 'null'
  const bytes = Buffer.byteLength(payload)
  if (bytes > maxPayloadBytes) {
    const error = new Error(`Response payload size exceeded maximum allowed payload size (${maxPayloadBytes} bytes).`)
    error.name = 'Function.ResponseSizeTooLarge'
    throw error
  }
  return payload
}

function contextOf({ requestId, deadlineMs, functionArn }: InvokeMessage): object {
  const { env } = process
  return {
    callbackWaitsForEmptyEventLoop: true,
    awsRequestId: requestId,
    functionName: env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: env['AWS_LAMBDA_FUNCTION_VERSION'],
    invokedFunctionArn: functionArn,
    memoryLimitInMB: env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    logGroupName: env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: env['AWS_LAMBDA_LOG_STREAM_NAME'],
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

function errorPayload(error: unknown): FunctionErrorPayload {
  if (error instanceof Error) {
    const missing = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes((error as NodeJS.ErrnoException).code ?? '')
    return {
      errorType: missing ? 'Runtime.ImportModuleError' : error.name,
      errorMessage: missing ? `Error: ${error.message}` : error.message,
      trace: (error.stack ?? '').split('\n'),
    }
  }
  return { errorType: typeof error, errorMessage: typeof error === 'object' ? format(error) : String(error), trace: [] }
}
