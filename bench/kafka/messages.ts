import { createHash } from 'node:crypto'

/** Bytes of every measured value. */
export const valueBytes = 256

const filling = Buffer.alloc(valueBytes, 'The quick brown fox jumps over the lazy dog. ')

/** The values of messages 0 to `count` − 1: each begins with its number. */
export function makeValues(count: number): Buffer[] {
  const all = Buffer.alloc(count * valueBytes, filling)
  return Array.from({ length: count }, (_, number) => {
    const value = all.subarray(number * valueBytes, (number + 1) * valueBytes)
    value.writeUInt32BE(number)
    return value
  })
}

/** The number of the message that a value was made for; −1 when it is none of them, or damaged. */
export function numberOf(value: Buffer | null): number {
  if (value?.length !== valueBytes || !value.subarray(4).equals(filling.subarray(4))) return -1
  return value.readUInt32BE()
}

/** Where each message is, by its number: what was acknowledged on the one side, what was read back on the other. */
export interface Places {
  put(number: number, partition: number, offset: number): void
  /** Equal only when the same messages are at the same places, none twice. */
  digest(): string
}

/** Makes the places of `count` messages. */
export function createPlaces(count: number): Places {
  const places = new Float64Array(count).fill(-1)
  let put = 0
  let wrong = 0
  return {
    put(number, partition, offset) {
      if (!(offset >= 0) || places[number] !== -1) wrong++
      else {
        places[number] = partition * 2 ** 40 + offset
        put++
      }
    },
    digest() {
      const hash = createHash('sha256').update(Buffer.from(places.buffer)).digest('hex').slice(0, 16)
      return `${put} of ${count}, ${wrong} wrong, ${hash}`
    },
  }
}

/** Whether a digest says that all messages are there, each once. */
export function isComplete(digest: string, count: number): boolean {
  return digest.startsWith(`${count} of ${count}, 0 wrong, `)
}
