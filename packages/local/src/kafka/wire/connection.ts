import { once } from 'node:events'
import type { Socket } from 'node:net'
import { durationMs, sleep } from '@pipe/core'
import { apiVersions, saslAuthenticate, saslHandshake } from '@pipe/kafka-wire'
import type { Broker } from '../broker-node'
import { errorCode } from '../error-code'
import { hitsPlace, type KafkaFaultRule, type RequestPlace } from '../faults/fault-rule'
import type { FaultRules, TakenRule } from '../faults/fault-rules'
import type { Timeline } from '../timeline'
import { createFrameSplitter, FrameError } from './frames'
import { readRequestBody, readRequestHeader, responseFrame } from './request'
import { type Login, placesOf, type RequestContext, type ServedApi } from './served-api'

/** What a connection needs. */
export interface ConnectionHost {
  readonly broker: Broker
  readonly apis: ReadonlyMap<number, ServedApi>
  readonly faults: Pick<FaultRules, 'take'>
  readonly timeline: Timeline
  readonly maxFrameBytes: number
  /** Whether clients must authenticate first. */
  readonly needsLogin: boolean
  /** Resolves when the broker runs (again). */
  whenUp(): Promise<void>
}

type Reply = readonly Buffer[] | 'none' | 'close' | 'mute'

/** APIs of a connection that has not authenticated. */
const beforeLogin: readonly number[] = [apiVersions.key, saslHandshake.key, saslAuthenticate.key]

/**
 * Serves one connection until it ends: one request at a time, answered in order, and none read while an answer waits for the client to read it. So a client that
 * never reads costs one answer. A frame or request that cannot be read ends the connection, as Kafka does.
 */
export async function serveConnection(socket: Socket, host: ConnectionHost): Promise<void> {
  const gone = new AbortController()
  socket.on('error', () => socket.destroy())
  socket.once('close', () => gone.abort())
  const login: Login = { user: undefined, mechanism: undefined, exchange: undefined, failed: false }
  const splitter = createFrameSplitter(host.maxFrameBytes)
  try {
    for await (const chunk of socket) {
      splitter.push(chunk as Buffer)
      for (let frame = splitter.next(); frame; frame = splitter.next()) {
        await host.whenUp()
        const reply = await answer(frame, socket, host, login, gone.signal)
        if (reply === 'close') return
        if (reply === 'mute') await once(socket.resume(), 'close')
        else if (reply !== 'none') await write(socket, reply, gone.signal)
        if (login.failed) return void socket.end()
      }
    }
  } catch (error) {
    if (!isExpected(error, gone.signal)) throw error
  } finally {
    socket.destroy()
  }
}

const expectedEnds: ReadonlySet<unknown> = new Set([
  'PIPE_KAFKA_WIRE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ABORT_ERR',
])

/** Bytes that are not the protocol, and connections that broke: the ends that a connection may have. */
function isExpected(error: unknown, gone: AbortSignal): boolean {
  if (gone.aborted || error instanceof FrameError) return true
  return expectedEnds.has((error as { code?: unknown }).code)
}

async function write(socket: Socket, parts: readonly Buffer[], gone: AbortSignal): Promise<void> {
  if (socket.destroyed) return
  socket.cork()
  let hasRoom = true
  for (const part of parts) hasRoom = socket.write(part)
  socket.uncork()
  if (!hasRoom) await once(socket, 'drain', { signal: gone })
}

async function answer(frame: Buffer, socket: Socket, host: ConnectionHost, login: Login, gone: AbortSignal): Promise<Reply> {
  const { broker, apis, faults, timeline } = host
  const { apiKey, apiVersion, correlationId } = readRequestHeader(frame)
  const served = apis.get(apiKey)
  if (!served || (host.needsLogin && login.user === undefined && !beforeLogin.includes(apiKey))) return 'close'
  const { api, minVersion, maxVersion } = served
  if (apiVersion < minVersion || apiVersion > maxVersion) {
    // The one request that may be of any version: its answer says which are served (KIP-35).
    if (apiKey !== apiVersions.key) return 'close'
    const refused = await served.handle({}, { ...contextOf(0), refusal: () => errorCode.unsupportedVersion })
    return responseFrame(api, 0, correlationId, api.encodeResponse(refused as object, 0))
  }
  const { clientId, body } = readRequestBody(frame, apiVersion >= api.flexibleFrom)
  const request = api.decodeRequest(body, apiVersion) as object
  const taken = faults.take({ broker: broker.id, apiKey, places: placesOf(request) })
  if (taken) timeline.record({ kind: 'fault', broker: broker.id, api: api.name, action: taken.rule.fault })
  const before = await faultBefore(taken, gone)
  if (before !== undefined) return before
  const context = { ...contextOf(apiVersion), clientId, refusal: refusalOf(taken?.rule) }
  const response = await served.handle(request, context)
  await host.whenUp()
  if (response === undefined) return 'none'
  const parts = responseFrame(api, apiVersion, correlationId, api.encodeResponse(response, apiVersion))
  return taken ? faultAfter(taken, parts, socket, gone) : parts

  function contextOf(version: number): RequestContext {
    const clientHost = `/${socket.remoteAddress ?? '127.0.0.1'}`
    return { broker, version, clientId: '', clientHost, signal: gone, login, refusal: () => errorCode.none }
  }
}

function refusalOf(rule: KafkaFaultRule | undefined): (place?: RequestPlace) => number {
  if (rule?.fault !== 'error') return () => errorCode.none
  return (place) => (place === undefined || hitsPlace(rule, place) ? rule.code : errorCode.none)
}

async function faultBefore(taken: TakenRule | undefined, gone: AbortSignal): Promise<Reply | undefined> {
  const rule = taken?.rule
  if (!taken || !rule) return undefined
  if (rule.fault === 'drop-request') return 'none'
  if (rule.fault === 'black-hole') return 'mute'
  if ('on' in rule && rule.on === 'request') {
    if (rule.fault === 'reset') return 'close'
    await wait(taken, gone)
  }
  return undefined
}

async function faultAfter(taken: TakenRule, parts: readonly Buffer[], socket: Socket, gone: AbortSignal): Promise<Reply> {
  const { rule } = taken
  if (rule.fault === 'drop-response') return 'none'
  if (rule.fault === 'cut') {
    const cut = Buffer.concat(parts).subarray(0, rule.afterBytes)
    await write(socket, [cut], gone)
    socket.end()
    return 'close'
  }
  if ('on' in rule && rule.on === 'response') {
    if (rule.fault === 'reset') return 'close'
    await wait(taken, gone)
  }
  return parts
}

async function wait({ rule, released }: TakenRule, gone: AbortSignal): Promise<void> {
  const signal = rule.fault === 'hold' ? AbortSignal.any([released, gone]) : gone
  if (signal.aborted) return
  if (rule.fault === 'delay') return sleep(durationMs(rule.by), signal).catch(() => {})
  await once(signal, 'abort')
}
