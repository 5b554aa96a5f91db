// The connections of kafkajs, as `internals` gets them: how requests get onto them, and how they are closed. kafkajs keeps the socket alive,
// authenticates it, times requests out and finds the request of each answer; the bytes are ours, and go to the socket as they are. Its own
// way copies each request twice into buffers that it has filled with zeros before, which costs more than everything else that is done for a
// batch.

/** A request as kafkajs takes it. `encode` must return something with a Buffer as `buf` and `buffer`. */
export interface DriverRequest {
  readonly request: {
    readonly apiKey: number
    readonly apiName: string
    readonly apiVersion: number
    readonly expectResponse: () => boolean
    readonly encode: () => { readonly buf: Buffer; readonly buffer: Buffer }
  }
  readonly response: { readonly decode: (payload: Buffer) => unknown; readonly parse: (decoded: never) => unknown }
  readonly requestTimeout?: number
  readonly logResponseError?: boolean
}

/** Requests of a connection, those that wait for an answer and those that wait to be sent. */
interface DriverQueue {
  readonly pending?: readonly unknown[]
  scheduleCheckPendingRequests?: () => void
  push?: (request: {
    readonly entry: {
      readonly apiKey: number
      readonly apiName: string
      readonly apiVersion: number
      readonly correlationId: number
      readonly resolve: (answer: { readonly payload: Buffer }) => void
      readonly reject: (error: unknown) => void
    }
    readonly expectResponse: boolean
    readonly requestTimeout: number | null
    readonly sendRequest: () => void
  }) => void
}

/** One TCP connection of kafkajs. */
export interface DriverConnection {
  readonly requestQueue?: DriverQueue | undefined
  readonly socket?:
    | {
        readonly writableNeedDrain: boolean
        write(bytes: Buffer): boolean
        destroy(error?: Error): void
        once(event: 'drain' | 'close', listener: () => void): unknown
        off(event: 'drain' | 'close', listener: () => void): unknown
      }
    | undefined
  readonly clientId?: string | undefined
  /** `null` without authentication. */
  readonly sasl?: object | null | undefined
  connect?: () => Promise<unknown>
  isConnected?: () => boolean
  isAuthenticated?: () => boolean
  nextCorrelationId?: () => number
}

/** The connections to one broker: the second one carries fetches, which may take long to be answered. */
export interface DriverPool {
  readonly host: string
  readonly port: number
  readonly pool: readonly DriverConnection[]
  send(request: DriverRequest): Promise<unknown>
}

/** A request with bytes of your own. */
export interface RawRequest<T> {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  /** What follows the request header; for flexible versions it starts with the tagged fields of the header (a zero byte). */
  readonly body: Buffer
  /** Reads what follows the correlation id; for flexible versions it starts with the tagged fields of the header. */
  readonly parse: (payload: Buffer) => T
  /** `false` for Produce with acks 0: resolves with `undefined` once the bytes were given to the socket. */
  readonly expectResponse?: boolean | undefined
  /** At least this long, where the request itself may wait; else the request timeout of the connection holds. */
  readonly timeoutMs?: number | undefined
  /** Called when the bytes are about to go to the socket: from here on the broker may have them. When it throws, they do not go. */
  readonly onHandOver?: (() => void) | undefined
  /** Ends the waiting; the request itself cannot be called back. */
  readonly signal?: AbortSignal | undefined
}

const fetchKey = 1

/** Sends a request on a connection that stands. Errors are those of kafkajs. */
export function sendOn<T>(pool: DriverPool, request: RawRequest<T>): Promise<T> {
  const connection = pool.pool[request.apiKey === fetchKey ? 1 : 0]
  return connection && isOpen(connection) ? write(connection, request) : sendByDriver(pool, request)
}

/** A connection that stands and, where that is needed, is authenticated, with all members that {@link write} uses. */
type OpenConnection = DriverConnection &
  Required<Pick<DriverConnection, 'nextCorrelationId' | 'clientId'>> & {
    readonly socket: NonNullable<DriverConnection['socket']>
    readonly requestQueue: { readonly push: NonNullable<DriverQueue['push']> }
  }

function isOpen(connection: DriverConnection): connection is OpenConnection {
  const { socket, requestQueue, clientId, sasl } = connection
  return (
    typeof socket?.write === 'function' &&
    typeof requestQueue?.push === 'function' &&
    typeof clientId === 'string' &&
    typeof connection.nextCorrelationId === 'function' &&
    connection.isConnected?.() === true &&
    // Also once its session is about to end: kafkajs renews it before the request.
    (!sasl || connection.isAuthenticated?.() === true)
  )
}

function write<T>(connection: OpenConnection, request: RawRequest<T>): Promise<T> {
  const { apiKey, apiName, apiVersion, body, parse, expectResponse = true, timeoutMs = null, onHandOver } = request
  return new Promise((resolve, reject) => {
    onHandOver?.()
    const correlationId = connection.nextCorrelationId()
    const frame = frameOf(apiKey, apiVersion, correlationId, connection.clientId, body)
    const answered = ({ payload }: { readonly payload: Buffer }) => {
      if (!expectResponse) return resolve(undefined as T)
      try {
        resolve(parse(payload))
      } catch (error) {
        reject(error)
      }
    }
    connection.requestQueue.push({
      entry: { apiKey, apiName, apiVersion, correlationId, resolve: answered, reject },
      expectResponse,
      requestTimeout: timeoutMs,
      sendRequest: () => void connection.socket.write(frame),
    })
  })
}

/** Length, request header 1, body. */
function frameOf(apiKey: number, apiVersion: number, correlationId: number, clientId: string, body: Buffer): Buffer {
  const idBytes = Buffer.byteLength(clientId)
  const frame = Buffer.allocUnsafe(14 + idBytes + body.length)
  frame.writeInt32BE(frame.length - 4, 0)
  frame.writeInt16BE(apiKey, 4)
  frame.writeInt16BE(apiVersion, 6)
  frame.writeInt32BE(correlationId, 8)
  frame.writeInt16BE(idBytes, 12)
  frame.write(clientId, 14, 'utf8')
  frame.set(body, 14 + idBytes)
  return frame
}

/** The way of kafkajs, which connects and authenticates first. */
function sendByDriver<T>(pool: DriverPool, request: RawRequest<T>): Promise<T> {
  const { apiKey, apiName, apiVersion, body, parse, expectResponse = true, timeoutMs, onHandOver } = request
  return pool.send({
    request: {
      apiKey,
      apiName,
      apiVersion,
      expectResponse: () => expectResponse,
      encode: () => {
        onHandOver?.()
        return { buf: body, buffer: body }
      },
    },
    response: { decode: (payload) => payload, parse: parse as (payload: never) => unknown },
    logResponseError: false,
    ...(timeoutMs === undefined ? {} : { requestTimeout: timeoutMs }),
  }) as Promise<T>
}

/** Mends two ways of a connection of kafkajs, as it is built. */
export function calm(connection: DriverConnection): void {
  stopIdling(connection)
  connectOnce(connection)
}

/**
 * Once a request was answered, each connection looks every millisecond for requests that wait, even when none does (4 % of a core for three
 * brokers, and a TimeoutNegativeWarning on newer Node). It looks only while some wait.
 */
function stopIdling({ requestQueue: queue }: DriverConnection): void {
  const schedule = queue?.scheduleCheckPendingRequests
  if (!queue || typeof schedule !== 'function' || !Array.isArray(queue.pending)) return
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending!.length > 0) schedule.call(queue)
  }
}

/**
 * Each request that finds no connection opens a socket of its own, of which all but the last are forgotten; when the broker is gone, each of
 * them cleans up after the last one (MaxListenersExceededWarning). They wait for one.
 */
function connectOnce(connection: DriverConnection): void {
  const connect = connection.connect
  if (typeof connect !== 'function') return
  let connecting: Promise<unknown> | undefined
  connection.connect = () => {
    connecting ??= connect.call(connection).finally(() => {
      connecting = undefined
    })
    return connecting
  }
}

/** Closes the sockets of a broker at once: what is under way on them fails. Not kafkajs's `disconnect`, which waits for answers that may never come, and whose own timer for them has stopped by then. */
export function closeSockets({ pool }: DriverPool): void {
  for (const { socket } of pool) socket?.destroy(new Error('closed by this client'))
}

/** Resolves when the sockets of a broker take bytes again: kafkajs itself writes without looking. */
export async function drained({ pool }: DriverPool): Promise<void> {
  for (const { socket } of pool) {
    if (!socket?.writableNeedDrain) continue
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.off('drain', done)
        socket.off('close', done)
        resolve()
      }
      socket.once('drain', done)
      socket.once('close', done)
    })
  }
}
