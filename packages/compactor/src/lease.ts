import { randomUUID } from 'node:crypto'
import type { ObjectStore } from '@pipe/core'

/** A window on which this process alone works, as long as everybody keeps to it. It saves money; what is correct never depends on it. */
export interface Lease {
  /** Gives it back. */
  release(): Promise<void>
}

/**
 * Takes the lease of a window: a create-only PUT, or the replacement of a lease that has run out. Its age is that of its object on S3, so
 * only the clock of the one who asks counts; a lease that seems to come from the future by more than its length has run out as well.
 *
 * @param ms how long a lease holds.
 * @returns `undefined` when somebody else has it.
 */
export async function takeLease(
  target: ObjectStore,
  key: string,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<Lease | undefined> {
  const body = JSON.stringify({ version: 1, holder: randomUUID(), ms })
  const options = { contentType: 'application/json', ...(signal && { signal }) }
  const created = await target.putIfAbsent(key, body, options)
  if (created.outcome === 'created') return leaseOf(created.etag)
  const head = await target.head(key, signal ? { signal } : {})
  if (head === undefined || Math.abs(Date.now() - head.lastModified.getTime()) <= ms) return undefined
  const replaced = await target.putIfMatch(key, body, head.etag, options)
  return replaced.outcome === 'replaced' ? leaseOf(replaced.etag) : undefined

  function leaseOf(etag: string): Lease {
    return { release: async () => void (await target.deleteIfMatch(key, etag, signal ? { signal } : {})) }
  }
}
