import { type Random, randomOf } from '../faults/random'

/** Inputs are at most so long: a hang or a growth shows as well on 64 KiB as on more. */
const maxBytes = 64 * 1024

/** Numbers at which lengths, counts and offsets go wrong. */
const edges = [0, 1, -1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, -0x80000000, 0x10000000]

type Mutation = (bytes: Buffer, random: Random, other: Buffer, words: readonly string[]) => Buffer

const at = (bytes: Buffer, random: Random) => random.between(0, Math.max(0, bytes.length - 1))

const splice = (bytes: Buffer, from: number, to: number, middle: Uint8Array) =>
  Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)])

const mutations: readonly Mutation[] = [
  (bytes, random) => {
    if (bytes.length > 0) bytes[at(bytes, random)]! ^= 1 << random.between(0, 7)
    return bytes
  },
  (bytes, random) => {
    if (bytes.length > 0) bytes[at(bytes, random)] = random.between(0, 255)
    return bytes
  },
  (bytes, random) => {
    const size = random.pick([1, 2, 4] as const)
    if (bytes.length < size) return bytes
    const place = random.between(0, bytes.length - size)
    const value = random.pick(edges)
    const write = random.pick(['writeIntBE', 'writeIntLE'] as const)
    // What does not fit into the size is cut to it.
    bytes[write](size === 4 ? value : (value << (32 - 8 * size)) >> (32 - 8 * size), place, size)
    return bytes
  },
  (bytes, random) => splice(bytes, at(bytes, random), at(bytes, random), random.bytes(random.between(1, 16))),
  (bytes, random) => bytes.subarray(0, at(bytes, random)),
  (bytes, random) => {
    const from = at(bytes, random)
    return splice(bytes, from, Math.min(bytes.length, from + random.between(1, 32)), Buffer.alloc(0))
  },
  (bytes, random) => {
    const from = at(bytes, random)
    const part = bytes.subarray(from, from + random.between(1, 64))
    return splice(bytes, from, from, Buffer.concat(Array.from({ length: random.pick([1, 2, 16, 256]) }, () => part)))
  },
  (bytes, random, other) => {
    const from = at(other, random)
    return splice(bytes, at(bytes, random), at(bytes, random), other.subarray(from, from + random.between(1, 256)))
  },
  (bytes, random, _, words) => {
    if (words.length === 0) return bytes
    const place = at(bytes, random)
    return splice(bytes, place, place + random.pick([0, 0, 1, 4]), Buffer.from(random.pick(words)))
  },
]

/** The input of a number: the same for the same seed, target and number, whatever ran before. */
export function inputOf(
  place: { readonly seed: number; readonly target: string; readonly number: number },
  corpus: readonly Buffer[],
  words: readonly string[],
): Buffer {
  const random = randomOf(place.seed, `${place.target}/${place.number}`)
  // One in fifty has nothing to do with the format.
  if (random.between(1, 50) === 1) return random.bytes(random.between(0, 200))
  let bytes: Buffer = Buffer.from(random.pick(corpus))
  const times = random.pick([0, 1, 1, 1, 1, 1, 2, 2, 3, 5, 8])
  for (let i = 0; i < times; i++) bytes = random.pick(mutations)(bytes, random, random.pick(corpus), words)
  // A copy: the parser may write into what it gets.
  return Buffer.from(bytes.subarray(0, maxBytes))
}
