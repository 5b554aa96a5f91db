import type { ObjectBody, ObjectStore } from '@pipe/core'

/** The store that records need, in memory. */
export function memoryStore(): Pick<ObjectStore, 'get' | 'put' | 'putIfAbsent' | 'putIfMatch' | 'deleteIfMatch'> & {
  readonly objects: Map<string, { body: string; etag: string }>
} {
  const objects = new Map<string, { body: string; etag: string }>()
  let count = 0
  const write = (key: string, body: unknown) => {
    const etag = `"${++count}"`
    objects.set(key, { body: String(body), etag })
    return etag
  }
  return {
    objects,
    async get(key) {
      const found = objects.get(key)
      return found && ({ key, etag: found.etag, text: async () => found.body } as ObjectBody)
    },
    async put(key, body) {
      return { etag: write(key, body) }
    },
    async putIfAbsent(key, body) {
      const found = objects.get(key)
      return found ? { outcome: 'exists', etag: found.etag } : { outcome: 'created', etag: write(key, body) }
    },
    async putIfMatch(key, body, etag) {
      if (objects.get(key)?.etag !== etag) return { outcome: 'changed' }
      return { outcome: 'replaced', etag: write(key, body) }
    },
    async deleteIfMatch(key, etag) {
      const found = objects.get(key)
      if (!found) return { outcome: 'absent' }
      if (found.etag !== etag) return { outcome: 'changed' }
      objects.delete(key)
      return { outcome: 'deleted' }
    },
  }
}
