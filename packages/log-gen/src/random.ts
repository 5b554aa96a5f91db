import { createHash } from 'node:crypto'

/**
 * Version of everything that decides which bytes a seed gives. It stands in the configuration hash of every key; a change of the stream
 * is a new number and a major version.
 */
export const algorithm = 1

/** Two 32-bit key words per device of one stream of draws. */
export interface DrawKeys {
  readonly first: Uint32Array
  readonly second: Uint32Array
}

/** Words that stand for a device, from its name: a device keeps its records when the fleet around it changes. */
export function deviceWords(names: readonly string[]): DrawKeys {
  const first = new Uint32Array(names.length)
  const second = new Uint32Array(names.length)
  names.forEach((name, device) => {
    const digest = createHash('sha256').update(name).digest()
    first[device] = digest.readUInt32LE(0)
    second[device] = digest.readUInt32LE(4)
  })
  return { first, second }
}

/** Keys of a stream (`field:metric`, `fault:late` …) for every device. */
export function streamKeys(seed: number, stream: string, devices: DrawKeys): DrawKeys {
  const digest = createHash('sha256').update(`${algorithm}\n${seed}\n${stream}`).digest()
  const [a, b, c] = [digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8)]
  const first = devices.first.map((word, device) => mix(mix(word + a) + (devices.second[device] as number) + b))
  const second = devices.second.map((word, device) => mix(mix(word + c) + (first[device] as number)))
  return { first, second }
}

/** One key of a stream that belongs to no device. */
export function fleetKey(seed: number, stream: string): DrawKeys {
  return streamKeys(seed, stream, { first: new Uint32Array(1), second: new Uint32Array(1) })
}

/**
 * The draw number `counter` of a device: 32 evenly spread bits, a pure function of (key, counter).
 *
 * The key is *added between* three rounds. Keying by exclusive-or (`hash(counter ^ key)`) makes each stream a permutation of every
 * other one; `test/random.test.ts` shows that it is not so here.
 */
export function draw(keys: DrawKeys, device: number, counter: number): number {
  const a = keys.first[device] as number
  const b = keys.second[device] as number
  // A counter may be negative (before 1970) or above 32 bits (milliseconds); `|0` takes it modulo 2^32.
  let x = ((counter | 0) + a) | 0
  x = mix(x)
  x = mix((x + b + Math.imul(Math.floor(counter / 4_294_967_296) | 0, 0x9e3779b1)) | 0)
  return mix((x + Math.imul(a, 0x85ebca6b) + (b >>> 7)) | 0)
}

// Finaliser of MurmurHash3 (public domain), a bijection of 32 bits.
function mix(value: number): number {
  let x = value | 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/**
 * A whole number from 0 to `range` − 1 out of 32 bits, without a step that leaves whole numbers. `range` < 2^37, so that no product
 * passes 2^53.
 */
export function scaleDraw(bits: number, range: number): number {
  const high = bits >>> 16
  const low = bits & 0xffff
  return Math.floor((high * range + Math.floor((low * range) / 65_536)) / 65_536)
}

/** The number under which 32 bits fall with the given probability. */
export function rateThreshold(rate: number): number {
  return Math.round(rate * 4_294_967_296)
}
