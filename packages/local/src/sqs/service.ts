import { checkOptions } from '@pipe/core/internal'
import type { RuntimeClock } from '../clock'
import { asJsonError, readCallBody, sendJson } from '../json-call'
import { type Authorizer, AwsError, type Service, type ServiceCall } from '../service'
import { sqsOperations } from './operations'
import type { Queues } from './queues'
import type { Input } from './request'

/** Options of {@link createSqsService}. */
export interface SqsServiceOptions {
  readonly queues: Queues
  readonly clock: RuntimeClock
  readonly authorizer: Authorizer
  /** The endpoint, for the URLs of queues. */
  endpoint(): string
}

const targetPrefix = 'AmazonSQS.'
const contentType = 'application/x-amz-json-1.0'
// Ten messages of a megabyte, which JSON can write six times as long.
const maxBodyBytes = 8 * 1024 * 1024

/** Codes of the older protocol, which clients still go by. */
const queryCodes: Readonly<Record<string, string>> = {
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  QueueNameExists: 'QueueAlreadyExists',
  ReceiptHandleIsInvalid: 'ReceiptHandleIsInvalid',
  MessageNotInflight: 'AWS.SimpleQueueService.MessageNotInflight',
  EmptyBatchRequest: 'AWS.SimpleQueueService.EmptyBatchRequest',
  TooManyEntriesInBatchRequest: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
  BatchEntryIdsNotDistinct: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
  BatchRequestTooLong: 'AWS.SimpleQueueService.BatchRequestTooLong',
  InvalidBatchEntryId: 'AWS.SimpleQueueService.InvalidBatchEntryId',
}

/** The local SQS: standard and FIFO queues in AWS JSON 1.0, as the official clients speak it. */
export function createSqsService(options: SqsServiceOptions): Service {
  checkOptions('createSqsService', options, { required: ['queues', 'clock', 'authorizer', 'endpoint'] })
  const operations = sqsOperations(options)
  const closing = new AbortController()
  return {
    name: 'sqs',
    matches: (call) => targetOf(call)?.startsWith(targetPrefix) ?? false,
    async handle(call) {
      try {
        const name = targetOf(call)!.slice(targetPrefix.length)
        const operation = Object.hasOwn(operations, name) ? operations[name] : undefined
        if (!operation) {
          const known = Object.keys(operations).join(', ')
          throw new AwsError('UnsupportedOperation', `${name} is not in this version of the local SQS (it has ${known}).`)
        }
        const gone = new AbortController()
        call.response.once('close', () => gone.abort())
        const input = await readInput(call)
        const signal = AbortSignal.any([gone.signal, closing.signal])
        sendJson(call, 200, await operation(input, call.principal, signal), { contentType })
      } catch (error) {
        const { code, message, status } = asJsonError(error, 'InternalError')
        const query = `${queryCodes[code] ?? code};${status < 500 ? 'Sender' : 'Receiver'}`
        sendJson(
          call,
          status,
          { __type: `com.amazonaws.sqs#${code}`, message },
          { contentType, headers: { 'x-amzn-query-error': query } },
        )
      }
    },
    async close() {
      closing.abort()
    },
  }
}

function targetOf(call: ServiceCall): string | undefined {
  const target = call.request.headers['x-amz-target']
  return typeof target === 'string' ? target : undefined
}

async function readInput(call: ServiceCall): Promise<Input> {
  const tooLong = (bytes: number) => new AwsError('BatchRequestTooLong', `A request of ${bytes} bytes is too large.`)
  const text = await readCallBody(call, maxBodyBytes, tooLong)
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Input
  } catch {
    // Answered below: the body is not a JSON object.
  }
  throw new AwsError('InvalidParameterValue', 'The request is not a JSON object.')
}
