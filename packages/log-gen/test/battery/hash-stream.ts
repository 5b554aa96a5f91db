// The generator's hash as a stream of 32-bit words for a battery of tests: hash-stream.ts fleet|counter [FIRST BLOCK]. Ends when nobody reads on.
//   npx tsx --conditions=pipe-source packages/log-gen/test/battery/hash-stream.ts fleet | dieharder -a -g 200
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { deviceWords, draw, streamKeys } from '../../src/random'

const [layout = 'fleet', first = '0'] = process.argv.slice(2)
const names = Array.from({ length: 64 }, (_, i) => `device-${String(i + 1).padStart(4, '0')}`)
const words = deviceWords(names)
const streams = ['field:metric:noise', 'field:metric:base', 'fault:late', 'fault:duplicate'].map((name) =>
  streamKeys(42, name, words),
)
const blockWords = 1 << 16

/** As a log draws: for each tick each device, for each device its streams. */
function fillFleet(block: Uint32Array, round: number): void {
  for (let i = 0; i < blockWords; ) {
    const tick = 1_795_000_000 + round * 256 + i / 256
    for (let device = 0; device < 64; device++) for (const keys of streams) block[i++] = draw(keys, device, tick)
  }
}

/** One key and its counters. */
function fillCounter(block: Uint32Array, round: number): void {
  const [keys] = streams as [(typeof streams)[0]]
  for (let i = 0; i < blockWords; i++) block[i] = draw(keys, 0, round * blockWords + i)
}

function* blocks(): Generator<Uint8Array> {
  for (let round = Number(first); ; round++) {
    const block = new Uint32Array(blockWords)
    if (layout === 'fleet') fillFleet(block, round)
    else fillCounter(block, round)
    yield new Uint8Array(block.buffer)
  }
}

try {
  await pipeline(Readable.from(blocks()), process.stdout)
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
}
