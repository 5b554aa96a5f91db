import { Readable } from 'node:stream'
import { PipeError } from '@pipe/core'
import { checkClient } from '@pipe/core/internal'

/** One call as it was made and answered. Holds no credentials: neither headers nor the configuration of the client are looked at. */
export interface RecordedCall {
  /** Name of the command, such as `StartQueryExecutionCommand`. */
  readonly command: string
  readonly input: unknown
  /** What came back; `{ $bytes: base64 }` and `{ $date: iso }` stand for what JSON does not have. */
  readonly output?: unknown
  readonly error?: { readonly name: string; readonly message: string; readonly status?: number; readonly fields?: object }
}

/** What a client of the AWS SDK v3 has, as far as this package uses it. */
interface SdkClient {
  send(command: never, options?: never): Promise<unknown>
  destroy(): void
}

interface Command {
  readonly input: object
  readonly constructor: { readonly name: string }
}

/**
 * Wraps a client of the SDK (of Athena, or of S3 for result files) and tells `onCall` of every call and its answer. Bodies of objects are read to their end
 * first, so this is for tests and samples, not for large results.
 *
 * @returns a client of the same kind; destroying it destroys the wrapped one.
 * @throws {@link ConfigError} `PIPE_CONFIG` for what is no client.
 * @example
 * ```ts
 * const calls: RecordedCall[] = []
 * await using athena = createAthena({ client: recordCalls(new AthenaClient({ maxAttempts: 1 }), (call) => calls.push(call)) })
 * ```
 */
export function recordCalls<Client extends SdkClient>(client: Client, onCall: (call: RecordedCall) => void): Client {
  checkClient('recordCalls', client)
  const send = async (command: Command, options?: unknown): Promise<unknown> => {
    const call = { command: command.constructor.name, input: withoutToken(plain(command.input)) }
    try {
      const output = (await client.send(command as never, options as never)) as Record<string, unknown>
      const read = await readBody(output)
      onCall({ ...call, output: plain(withoutMetadata(read)) })
      return withBody(read)
    } catch (error) {
      if (isAnswer(error)) onCall({ ...call, error: plainError(error) })
      throw error
    }
  }
  return new Proxy(client, { get: (target, key) => (key === 'send' ? send : Reflect.get(target, key, target)) })
}

/**
 * A client that answers from a recording: each call gets the answers of the same command with the same input, in their order; the last one stays. Tokens of
 * StartQueryExecution count for nothing. The states of executions are answered one by one, whichever are asked for together.
 *
 * @throws {@link PipeError} `PIPE_ATHENA_REPLAY` from the call that the recording does not have.
 * @example
 * ```ts
 * await using athena = createAthena({ client: replayCalls<AthenaClient>(calls), poll: ['1 ms', '5 ms'] })
 * ```
 */
export function replayCalls<Client extends SdkClient>(calls: readonly RecordedCall[]): Client {
  const answers = new Map<string, RecordedCall[]>()
  const add = (call: RecordedCall) => {
    const key = keyOf(call.command, call.input)
    answers.set(key, [...(answers.get(key) ?? []), call])
  }
  for (const call of calls) for (const one of call.output === undefined ? [call] : split(call)) add(one)

  function take(command: string, input: unknown): unknown {
    const left = answers.get(keyOf(command, input))
    const call = left && (left.length > 1 ? left.shift() : left[0])
    if (!call) {
      throw new PipeError('PIPE_ATHENA_REPLAY', `The recording has no ${command} with ${JSON.stringify(input).slice(0, 500)}.`, {
        hint: 'Record it again with the statements of this run.',
      })
    }
    if (call.error) throw revivedError(call.error)
    return revived(call.output)
  }

  const send = async (command: Command): Promise<unknown> => {
    const name = command.constructor.name
    const input = withoutToken(plain(command.input))
    if (name !== batchCommand) return withBody(take(name, input) as Record<string, unknown>)
    const parts = (input as BatchInput).QueryExecutionIds.map((id) => take(name, { QueryExecutionIds: [id] }) as BatchOutput)
    return {
      QueryExecutions: parts.flatMap((part) => part.QueryExecutions ?? []),
      UnprocessedQueryExecutionIds: parts.flatMap((part) => part.UnprocessedQueryExecutionIds ?? []),
    }
  }
  return { send, destroy: () => undefined, config: {} } as unknown as Client
}

const batchCommand = 'BatchGetQueryExecutionCommand'

interface BatchInput {
  readonly QueryExecutionIds: readonly string[]
}

interface BatchOutput {
  readonly QueryExecutions?: readonly { readonly QueryExecutionId: string }[]
  readonly UnprocessedQueryExecutionIds?: readonly { readonly QueryExecutionId: string }[]
}

/** Which executions are looked at together depends on time; so a batch is kept as one look at each. */
function split(call: RecordedCall): readonly RecordedCall[] {
  if (call.command !== batchCommand) return [call]
  const { QueryExecutions: seen = [], UnprocessedQueryExecutionIds: missing = [] } = call.output as BatchOutput
  return (call.input as BatchInput).QueryExecutionIds.map((id) => ({
    command: call.command,
    input: { QueryExecutionIds: [id] },
    output: {
      QueryExecutions: seen.filter((one) => one.QueryExecutionId === id),
      UnprocessedQueryExecutionIds: missing.filter((one) => one.QueryExecutionId === id),
    },
  }))
}

function keyOf(command: string, input: unknown): string {
  return `${command} ${JSON.stringify(sorted(input))}`
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  )
}

function withoutToken(input: unknown): unknown {
  const { ClientRequestToken: _token, ...rest } = input as Record<string, unknown>
  return rest
}

function withoutMetadata({ $metadata: _metadata, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return rest
}

/** As JSON: bytes and dates in a form that can be read back. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  if (value instanceof Date) return { $date: value.toISOString() }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
}

function revived(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revived)
  if (typeof value !== 'object' || value === null) return value
  const { $bytes: bytes, $date: date } = value as { $bytes?: string; $date?: string }
  if (bytes !== undefined) return new Uint8Array(Buffer.from(bytes, 'base64'))
  if (date !== undefined) return new Date(date)
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, revived(one)]))
}

async function readBody(output: Record<string, unknown>): Promise<Record<string, unknown>> {
  const body = output['Body'] as { transformToByteArray?(): Promise<Uint8Array> } | undefined
  if (typeof body?.transformToByteArray !== 'function') return output
  return { ...output, Body: await body.transformToByteArray() }
}

function withBody(output: Record<string, unknown>): Record<string, unknown> {
  const { Body: body } = output
  if (!(body instanceof Uint8Array)) return output
  const stream = Object.assign(Readable.from([body]), {
    transformToByteArray: async () => body,
    transformToString: async () => Buffer.from(body).toString(),
    transformToWebStream: () => Readable.toWeb(Readable.from([body])),
  })
  return { ...output, Body: stream }
}

function isAnswer(error: unknown): boolean {
  return (error as { $metadata?: { httpStatusCode?: number } })?.$metadata?.httpStatusCode !== undefined
}

function plainError(error: unknown): NonNullable<RecordedCall['error']> {
  const { name, message, $metadata, Reason, AthenaErrorCode } = error as Error & {
    $metadata: { httpStatusCode: number }
    Reason?: string
    AthenaErrorCode?: string
  }
  const fields = { ...(Reason && { Reason }), ...(AthenaErrorCode && { AthenaErrorCode }) }
  return { name, message, status: $metadata.httpStatusCode, fields }
}

function revivedError({ name, message, status = 400, fields }: NonNullable<RecordedCall['error']>): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status }, $fault: 'client', ...fields })
}
