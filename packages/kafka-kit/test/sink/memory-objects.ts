import { Readable } from 'node:stream'
import type { ObjectStore } from '@pipe/core'

/** Runs an effect of a store or a log when its turn comes. */
export type Turn = <T>(what: string, effect: () => T) => Promise<T>

/** Objects by key, shared by all stores that are made on them. */
export type Objects = Map<string, Buffer>

/** The part of an object store that a sink uses, on a map. Each call is one effect. */
export function memoryStore(objects: Objects, turn: Turn): ObjectStore {
  const never = () => {
    throw new Error('a sink has no use for this')
  }
  const etag = (body: Buffer) => `"${body.length}"`
  const summary = (key: string, body: Buffer) => ({ key, size: body.length, etag: etag(body), lastModified: new Date(0) })
  return {
    location: 's3://lake/orders/',
    uri: (key) => `s3://lake/orders/${key}`,
    async *list({ prefix = '', startAfter = '' } = {}) {
      const found = await turn(`list ${prefix}`, () =>
        [...objects].filter(([key]) => key.startsWith(prefix) && key > startAfter).sort(([a], [b]) => (a < b ? -1 : 1)),
      )
      for (const [key, body] of found) yield summary(key, body)
    },
    head: (key) =>
      turn(`head ${key}`, () => {
        const body = objects.get(key)
        return body && { ...summary(key, body), metadata: {} }
      }),
    get: (key) =>
      turn(`get ${key}`, () => {
        const body = objects.get(key)
        if (!body) return undefined
        return {
          ...summary(key, body),
          metadata: {},
          stream: () => Readable.from([body]),
          bytes: async () => body,
          text: async () => body.toString(),
        }
      }),
    putIfAbsent: (key, given) =>
      turn(`put ${key}`, () => {
        const body = Buffer.from(given)
        const stands = objects.get(key)
        if (stands) return { outcome: 'exists' as const, etag: etag(stands) }
        objects.set(key, body)
        return { outcome: 'created' as const, etag: etag(body) }
      }),
    put: never,
    putIfMatch: never,
    delete: never,
    deleteIfMatch: never,
    close: () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}
