import type { Api } from '@pipe/kafka-wire'
import type { Broker } from '../broker-node'
import type { RequestPlace } from '../faults/fault-rule'

/** What a handler knows of the request around its body. */
export interface RequestContext {
  readonly broker: Broker
  readonly version: number
  readonly clientId: string
  /** Address of the client, as groups list it. */
  readonly clientHost: string
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal
  /** The error code that a fault rule wants for a topic and partition, or for the request as a whole; 0 = none. */
  refusal(place?: RequestPlace): number
  /** What a connection remembers of its authentication. */
  readonly login: Login
}

/** State of the authentication of one connection. */
export interface Login {
  /** Set when the exchange succeeded. */
  user: string | undefined
  mechanism: string | undefined
  /** What the mechanism needs for its next step. */
  exchange: unknown
  /** The exchange failed: the connection ends after the answer. */
  failed: boolean
}

/** An API that the brokers serve. */
export interface ServedApi {
  readonly api: Api<never, object>
  readonly minVersion: number
  readonly maxVersion: number
  handle(request: object, context: RequestContext): Promise<object | undefined>
}

/** Serves an API by a handler; `undefined` = nothing is answered (Produce with acks 0). */
export function serve<Request extends object, Response extends object>(
  api: Api<Request, Response>,
  handler: (request: Request, context: RequestContext) => Response | undefined | Promise<Response | undefined>,
  versions: { readonly minVersion?: number; readonly maxVersion?: number } = {},
): ServedApi {
  return {
    api: api as unknown as Api<never, object>,
    minVersion: versions.minVersion ?? api.minVersion,
    maxVersion: versions.maxVersion ?? api.maxVersion,
    handle: async (request, context) => handler(request as Request, context),
  }
}

/** The topics and partitions that a request names, whatever its API. */
export function placesOf(request: object): readonly RequestPlace[] {
  const { topics } = request as { topics?: unknown }
  if (!Array.isArray(topics)) return []
  return topics.flatMap((one: unknown): RequestPlace[] => {
    if (typeof one === 'string') return [{ topic: one, partition: -1 }]
    const { name, topic, partitions } = one as { name?: unknown; topic?: unknown; partitions?: unknown }
    const own = String(name ?? topic ?? '')
    if (!Array.isArray(partitions) || partitions.length === 0) return [{ topic: own, partition: -1 }]
    return partitions.map((each: unknown) => ({
      topic: own,
      partition: typeof each === 'number' ? each : Number((each as { partition?: unknown }).partition),
    }))
  })
}
