import type { Column } from '@pipe/core'
import type { FieldSpec, MeasureSpec } from './field'
import { type DrawKeys, draw, rateThreshold, scaleDraw, streamKeys } from './random'
import { powerOfTen, scaledText } from './scaled-number'
import { sine } from './season'

/** Stands for `null` in a drawn number. */
export const nullDraw: number = Number.MIN_SAFE_INTEGER

/** One field of a log, ready to run. What a record holds is first a whole number (`draw`), then a value or bytes. */
export interface Cell {
  /** Scaled number, position in `values`, sequence or milliseconds: a pure function of its arguments. {@link nullDraw} for null. */
  draw(device: number, tick: number, emitTime: number): number
  /** The value of a drawn number as {@link RowOf} has it. */
  value(drawn: number, device: number, tick: number): unknown
  /** How the drawn number is printed. */
  readonly form: CellForm
}

/** How a drawn number is printed. */
export type CellForm =
  | { readonly kind: 'scaled'; readonly scale: number; readonly fixedDigits: number }
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | { readonly kind: 'instant'; readonly digits: number }
  | { readonly kind: 'text' }

/** Makes a cell of a field. */
export function makeCell(
  spec: FieldSpec,
  name: string,
  column: Column,
  log: { seed: number; everyMs: number; words: DrawKeys },
): Cell {
  const keysOf = (part: string) => streamKeys(log.seed, `field:${name}:${part}`, log.words)
  switch (spec.kind) {
    case 'measure':
      return measureCell(spec, column, log.everyMs, keysOf)
    case 'choice': {
      const keys = keysOf('choice')
      const pick = picker(spec.values.length, spec.weights)
      return {
        draw: (device, tick) => pick(draw(keys, device, tick)),
        value: (drawn) => spec.values[drawn],
        form: { kind: 'values', values: spec.values },
      }
    }
    case 'tag': {
      const keys = keysOf('tag')
      return {
        draw: (device) => scaleDraw(draw(keys, device, 0), spec.values.length),
        value: (drawn) => spec.values[drawn],
        form: { kind: 'values', values: spec.values },
      }
    }
    case 'sequence': {
      const isBig = column.type.kind === 'bigint'
      return {
        draw: (_device, tick) => tick,
        value: (drawn) => (isBig ? BigInt(drawn) : drawn),
        form: { kind: 'scaled', scale: 0, fixedDigits: -1 },
      }
    }
    case 'hex': {
      const words = Array.from({ length: Math.ceil(spec.digits / 8) }, (_, i) => keysOf(`hex${i}`))
      return {
        draw: () => 0,
        value: (_drawn, device, tick) =>
          words
            .map((keys) => draw(keys, device, tick).toString(16).padStart(8, '0'))
            .join('')
            .slice(0, spec.digits),
        form: { kind: 'text' },
      }
    }
    case 'emit-time': {
      const digits = (column.type as { precision: number }).precision
      const unit = 10 ** (3 - digits)
      return {
        draw: (_device, _tick, emitTime) => Math.floor(emitTime / unit) * unit,
        value: (drawn) => new Date(drawn),
        form: { kind: 'instant', digits },
      }
    }
    case 'sometimes-null': {
      const inner = makeCell(spec.field, name, column, log)
      const keys = keysOf('null')
      const threshold = rateThreshold(spec.rate)
      return {
        draw: (device, tick, emitTime) => (draw(keys, device, tick) < threshold ? nullDraw : inner.draw(device, tick, emitTime)),
        value: (drawn, device, tick) => (drawn === nullDraw ? null : inner.value(drawn, device, tick)),
        form: inner.form,
      }
    }
  }
}

function picker(count: number, weights: readonly number[] | undefined): (bits: number) => number {
  if (!weights) return (bits) => scaleDraw(bits, count)
  const table = weights.flatMap((weight, index) => new Array<number>(weight).fill(index))
  return (bits) => table[scaleDraw(bits, table.length)] as number
}

function measureCell(spec: MeasureSpec, column: Column, everyMs: number, keysOf: (part: string) => DrawKeys): Cell {
  const { type } = column
  const { scale, season, noise } = spec
  const baseKeys = keysOf('base')
  const noiseKeys = keysOf('noise')
  const low = spec.min ?? Number.MIN_SAFE_INTEGER + 1
  const high = spec.max ?? Number.MAX_SAFE_INTEGER
  const bases = Array.from(baseKeys.first, (_, device) => {
    return spec.base[0] + scaleDraw(draw(baseKeys, device, 0), spec.base[1] - spec.base[0] + 1)
  })
  const drift = spec.drift ? wander(spec.drift, bases.length, keysOf) : undefined
  return {
    draw: (device, tick) => {
      const at = tick * everyMs
      let value = bases[device] as number
      if (season) {
        const phase = Math.floor(((at - Math.floor(at / season.periodMs) * season.periodMs) * 65_536) / season.periodMs)
        value += Math.floor((season.amplitude * sine(phase)) / 65_536)
      }
      if (drift) value += drift(device, at)
      if (noise > 0) {
        const bits = draw(noiseKeys, device, tick)
        // The sum of two even draws: small differences are more frequent than large ones.
        value += Math.floor((((bits >>> 16) + (bits & 0xffff) - 65_535) * noise) / 65_536)
      }
      return Math.max(low, Math.min(value, high))
    },
    value: (drawn) => {
      if (type.kind === 'bigint') return BigInt(drawn)
      if (type.kind === 'decimal') return fixed(scaledText(drawn, scale), type.scale)
      // One correctly rounded division gives the double nearest to the decimal, which is also what reading its text gives.
      return drawn / powerOfTen(scale)
    },
    form: { kind: 'scaled', scale, fixedDigits: type.kind === 'decimal' ? type.scale : -1 },
  }
}

function fixed(text: string, digits: number): string {
  const [whole, fraction = ''] = text.split('.')
  return digits === 0 ? (whole as string) : `${whole}.${fraction.padEnd(digits, '0')}`
}

// Three octaves of value noise on a lattice of time: any instant is computed alone, which a random walk could not be.
function wander(
  drift: { readonly amplitude: number; readonly periodMs: number },
  devices: number,
  keysOf: (part: string) => DrawKeys,
): (device: number, at: number) => number {
  const first = Math.floor((drift.amplitude * 4) / 7)
  const second = Math.floor((drift.amplitude * 2) / 7)
  const octaves = [first, second, drift.amplitude - first - second].map((amplitude, i) => {
    const keys = keysOf(`drift${i}`)
    return { amplitude, keys, periodMs: Math.ceil(drift.periodMs / 2 ** i), ...latticeCache(devices) }
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
