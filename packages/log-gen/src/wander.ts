import { type DrawKeys, draw, scaleDraw } from './random'

/**
 * A slow wander within ± amplitude: three octaves of value noise on a lattice of time. Any instant is computed alone, which a random walk
 * could not be.
 */
export function makeWander(
  wander: { readonly amplitude: number; readonly periodMs: number },
  devices: number,
  keysOf: (part: string) => DrawKeys,
): (device: number, at: number) => number {
  const first = Math.floor((wander.amplitude * 4) / 7)
  const second = Math.floor((wander.amplitude * 2) / 7)
  const octaves = [first, second, wander.amplitude - first - second].map((amplitude, i) => {
    const keys = keysOf(`drift${i}`)
    return { amplitude, keys, periodMs: Math.ceil(wander.periodMs / 2 ** i), ...latticeCache(devices) }
  })
  return (device, at) => {
    let sum = 0
    for (const { amplitude, keys, periodMs, cell, lower, upper } of octaves) {
      const index = Math.floor(at / periodMs)
      // Only a memory of the last lattice cell of the device; the result does not depend on it.
      if (cell[device] !== index) {
        cell[device] = index
        lower[device] = scaleDraw(draw(keys, device, index), 2 * amplitude + 1) - amplitude
        upper[device] = scaleDraw(draw(keys, device, index + 1), 2 * amplitude + 1) - amplitude
      }
      const from = lower[device] as number
      const part = Math.floor(((at - index * periodMs) * 65_536) / periodMs)
      sum += from + Math.floor((((upper[device] as number) - from) * part) / 65_536)
    }
    return sum
  }
}

function latticeCache(devices: number): { cell: Float64Array; lower: Float64Array; upper: Float64Array } {
  const make = () => new Float64Array(devices)
  return { cell: make().fill(Number.NaN), lower: make(), upper: make() }
}
