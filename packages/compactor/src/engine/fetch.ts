import { setMaxListeners } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type ObjectStore, PipeError } from '@pipe/core'
import { stampOf } from '@pipe/core/internal'
import { SourceChangedError } from '../errors'
import type { PlannedInput } from '../state'
import { inMemoryBytes } from './convert'
import type { LoadedFile } from './scan-file'

/** Objects that are fetched at once, at most. */
const maxAtOnce = 24
/** Bytes of objects that are under way or wait in memory to be read. */
const maxHeldBytes = 96 * 1024 * 1024

/**
 * Fetches objects ahead and hands them out in the order of the plan, each exactly in its planned version (If-Match). Small ones are held in
 * memory within a byte budget, large ones are streamed to disk.
 *
 * @throws {@link SourceChangedError} when an object is gone or has another ETag.
 */
export async function* fetchInOrder(
  source: ObjectStore,
  inputs: readonly PlannedInput[],
  tempDir: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<LoadedFile> {
  // An early end (an error, a return) must stop what is under way before the temporary folder goes.
  const stop = new AbortController()
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  // Every request under way listens to it.
  setMaxListeners(0, either)
  const underWay: { readonly file: Promise<LoadedFile>; readonly weight: number }[] = []
  let next = 0
  let held = 0
  const fill = () => {
    while (next < inputs.length && underWay.length < maxAtOnce) {
      const input = inputs[next]!
      const weight = input.size <= inMemoryBytes ? input.size : 1024 * 1024
      if (underWay.length > 0 && held + weight > maxHeldBytes) return
      const file = fetchOne(source, input, join(tempDir, `source-${next}`), either)
      // Handled where it is awaited; until then a failure must not count as unhandled.
      file.catch(() => {})
      underWay.push({ file, weight })
      held += weight
      next++
    }
  }
  try {
    for (fill(); underWay.length > 0; fill()) {
      const { file, weight } = underWay[0]!
      const loaded = await file
      underWay.shift()
      yield loaded
      held -= weight
    }
  } finally {
    stop.abort()
    await Promise.allSettled(underWay.map(({ file }) => file))
  }
}

async function fetchOne(source: ObjectStore, input: PlannedInput, path: string, signal: AbortSignal): Promise<LoadedFile> {
  const name = source.uri(input.key)
  try {
    const object = await source.get(input.key, { ifMatch: input.etag, signal })
    if (object === undefined) throw new SourceChangedError(name, input.etag, undefined)
    const expectedRows = input.rows ?? stampOf(object.metadata)?.rows
    if (input.size <= inMemoryBytes) {
      const bytes = await object.bytes()
      return { name, content: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), expectedRows }
    }
    await pipeline(object.stream(), createWriteStream(path), { signal })
    return { name, content: { path }, expectedRows }
  } catch (error) {
    if (PipeError.isInstance(error) && error.code === 'PIPE_OBJECT_CHANGED')
      throw new SourceChangedError(name, input.etag, 'another')
    throw error
  }
}
