import type { Output } from './output'

/** Outputs of one partition that wait for their transaction, by the offset of their input. */
export interface OutputBuffer {
  readonly bytes: number
  put(offset: bigint, outputs: readonly Output[]): void
  /** Takes out what belongs to inputs below an offset, in their order. */
  take(below: bigint): readonly Output[]
}

/** Makes an empty buffer. */
export function createOutputBuffer(): OutputBuffer {
  const waiting = new Map<bigint, readonly Output[]>()
  let bytes = 0
  return {
    get bytes() {
      return bytes
    },
    put(offset, outputs) {
      if (outputs.length === 0) return
      waiting.set(offset, outputs)
      for (const output of outputs) bytes += output.bytes
    },
    take(below) {
      const offsets = [...waiting.keys()].filter((offset) => offset < below).sort((a, b) => (a < b ? -1 : 1))
      const taken: Output[] = []
      for (const offset of offsets) {
        for (const output of waiting.get(offset)!) {
          taken.push(output)
          bytes -= output.bytes
        }
        waiting.delete(offset)
      }
      return taken
    },
  }
}
