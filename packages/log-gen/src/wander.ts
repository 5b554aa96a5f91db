import { type DrawKeys, draw, scaleDraw } from './random'

/** A slow wander within ± amplitude, its own for each device. */
export interface Wander {
  /** Where a device is at an instant, milliseconds. */
  at(device: number, at: number): number
  /** Adds where each device is at its instant. */
  addTo(into: Float64Array, devices: Uint32Array, at: Float64Array, count: number): void
}

/**
 * Makes a wander: three octaves of value noise on a lattice of time. Any instant is computed alone, which a random walk could not be.
 */
export function makeWander(
  wander: { readonly amplitude: number; readonly periodMs: number },
  devices: number,
  keysOf: (part: string) => DrawKeys,
): Wander {
  const first = Math.floor((wander.amplitude * 4) / 7)
  const second = Math.floor((wander.amplitude * 2) / 7)
  const octaves = [first, second, wander.amplitude - first - second].map(
    (amplitude, i): Octave => ({
      amplitude,
      keys: keysOf(`drift${i}`),
      periodMs: Math.ceil(wander.periodMs / 2 ** i),
      cell: new Float64Array(devices).fill(Number.NaN),
      lower: new Float64Array(devices),
      rise: new Float64Array(devices),
    }),
  )
  const one = { into: new Float64Array(1), device: new Uint32Array(1), at: new Float64Array(1) }
  return {
    at: (device, at) => {
      one.into[0] = 0
      one.device[0] = device
      one.at[0] = at
      for (const octave of octaves) addOctave(octave, one.into, one.device, one.at, 1)
      return one.into[0]
    },
    addTo: (into, device, at, count) => {
      for (const octave of octaves) addOctave(octave, into, device, at, count)
    },
  }
}

/** One octave, with a memory of the last lattice cell of each device; the result does not depend on it. */
interface Octave {
  readonly amplitude: number
  readonly keys: DrawKeys
  readonly periodMs: number
  readonly cell: Float64Array
  readonly lower: Float64Array
  readonly rise: Float64Array
}

function addOctave(octave: Octave, into: Float64Array, devices: Uint32Array, at: Float64Array, count: number): void {
  const { periodMs, cell, lower, rise } = octave
  // The devices of one tick share the instant, and so the place on the lattice.
  let instant = Number.NaN
  let index = 0
  let part = 0
  for (let i = 0; i < count; i++) {
    const device = devices[i] as number
    const own = at[i] as number
    if (own !== instant) {
      instant = own
      index = Math.floor(own / periodMs)
      part = Math.floor(((own - index * periodMs) * 65_536) / periodMs)
    }
    if (cell[device] !== index) enterCell(octave, device, index)
    into[i] = (into[i] as number) + (lower[device] as number) + Math.floor(((rise[device] as number) * part) / 65_536)
  }
}

function enterCell({ amplitude, keys, cell, lower, rise }: Octave, device: number, index: number): void {
  const height = (place: number) => scaleDraw(draw(keys, device, place), 2 * amplitude + 1) - amplitude
  const from = height(index)
  cell[device] = index
  lower[device] = from
  rise[device] = height(index + 1) - from
}
