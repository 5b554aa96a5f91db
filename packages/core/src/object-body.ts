import { Readable } from 'node:stream'
import type { ObjectBody, ObjectHead } from './object-store'

/** How often in a row a broken download is taken up again without a byte of progress. */
const maxResumptions = 3

/**
 * The body of an object as one that survives broken connections: what is missing is asked for again, from the byte where it broke off,
 * and only of the same object.
 *
 * @param first the stream that is already open.
 * @param reopen opens the object again behind `skip` bytes; it must fail when the object is no longer the same.
 * @param isBroken whether an error is a broken connection.
 */
export function resumableBody(
  head: ObjectHead,
  first: AsyncIterable<Uint8Array>,
  length: number,
  reopen: (skip: number) => Promise<AsyncIterable<Uint8Array>>,
  isBroken: (error: unknown) => boolean,
): ObjectBody {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let done = 0
    let part = first
    for (let failures = 0; ; ) {
      try {
        for await (const bytes of part) {
          done += bytes.length
          failures = 0
          yield bytes
        }
        if (done >= length) return
        // A reply that ends early without an error.
        failures++
        if (failures > maxResumptions) throw new Error(`the object ended after ${done} of ${length} bytes`)
      } catch (error) {
        if (done >= length) return
        failures++
        if (failures > maxResumptions || !isBroken(error)) throw error
      }
      part = await reopen(done)
    }
  }

  const bytes = async (): Promise<Uint8Array> => {
    const all: Uint8Array[] = []
    for await (const chunk of chunks()) all.push(chunk)
    return all.length === 1 ? all[0]! : Buffer.concat(all)
  }
  return {
    ...head,
    stream: () => Readable.from(chunks(), { objectMode: false }),
    bytes,
    text: async () => Buffer.from(await bytes()).toString(),
  }
}
