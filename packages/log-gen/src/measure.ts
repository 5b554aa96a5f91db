import { type Column, ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { Cell, CellContext, CellEpisode } from './cell'
import { type EpisodeOptions, type EpisodeSpec, type Episodes, episodeSpec, makeEpisodes } from './episode'
import type { Field, MeasureSpec } from './field-spec'
import { blockLines } from './line-block'
import { type DrawKeys, draw, scaleDraw } from './random'
import { maxScale, powerOfTen, scaled, scaledText } from './scaled-number'
import { sine } from './season'
import { makeWander } from './wander'

/** Options of {@link measure}, all in the unit of the column. */
export interface MeasureOptions {
  /** Level of a device: one number, or a range out of which each device has its own. */
  readonly base: number | readonly [min: number, max: number]
  /** Digits behind the point, 0–6. Default 2. Integer and bigint columns need 0. */
  readonly scale?: number | undefined
  /** A wave over the time of day (or any other period), the same phase for all devices. */
  readonly season?: { readonly amplitude: number; readonly period?: Duration | undefined } | undefined
  /** A slow wander within ± amplitude, its own for each device. */
  readonly drift?: { readonly amplitude: number; readonly period?: Duration | undefined } | undefined
  /** Each reading differs by up to ± this (triangular). Default 0. */
  readonly noise?: number | undefined
  /** Smaller values become this. Default no bound. */
  readonly min?: number | undefined
  /** Larger values become this. Default no bound. */
  readonly max?: number | undefined
  /** One reading that is `by` higher, at most one in each `every`. */
  readonly spike?: { readonly rate: number; readonly every?: Duration | undefined; readonly by: number } | undefined
  /** A level that is `by` higher for an episode. */
  readonly shift?: (EpisodeOptions & { readonly by: number }) | undefined
  /** A reading that does not change for an episode. */
  readonly stuck?: EpisodeOptions | undefined
}

const optionNames = ['scale', 'season', 'drift', 'noise', 'min', 'max', 'spike', 'shift', 'stuck'] as const

/**
 * A measured number: base of the device + season + drift + noise + anomalies, kept within `min` and `max`. For float, double, integer and
 * bigint columns; for decimal columns use {@link decimalMeasure}. Whole-number arithmetic throughout, so every machine gives the same digits.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for an unknown option or a number with more digits than `scale`.
 * @example
 * ```ts
 * measure({ base: [18, 24], season: { amplitude: 4 }, noise: 0.25, spike: { rate: 0.1, by: 60 }, stuck: { rate: 0.01, lasts: '20 minutes' } })
 * ```
 */
export function measure(options: MeasureOptions): Field<number | bigint> {
  return { spec: measureSpec('measure', options) }
}

/** {@link measure} for a decimal column. `scale` must not exceed the scale of the column. */
export function decimalMeasure(options: MeasureOptions): Field<string> {
  return { spec: measureSpec('decimalMeasure', options) }
}

function measureSpec(where: string, options: MeasureOptions): MeasureSpec {
  checkOptions(where, options, { required: ['base'], optional: optionNames })
  const scale = options.scale ?? 2
  if (!Number.isInteger(scale) || scale < 0 || scale > maxScale) {
    throw new ConfigError(`${where}: "scale" must be a whole number from 0 to ${maxScale}, not ${scale}.`)
  }
  const amount = (name: string, value: number) => scaled(`${where}: "${name}"`, value, scale)
  const size = (name: string, value: number) => {
    if (!(value >= 0)) throw new ConfigError(`${where}: "${name}" must not be negative.`)
    return amount(name, value)
  }
  const wave = (name: 'season' | 'drift', period: Duration) => {
    const given = options[name]
    if (given === undefined) return undefined
    checkOptions(`${where}: "${name}"`, given, { required: ['amplitude'], optional: ['period'] })
    const periodMs = durationMs(given.period ?? period)
    if (!Number.isInteger(periodMs) || periodMs < 1000 || periodMs > 366 * 86_400_000) {
      throw new ConfigError(`${where}: the period of "${name}" must be from '1 second' to '366 days'.`)
    }
    return { amplitude: size(`${name}.amplitude`, given.amplitude), periodMs }
  }
  const [low, high] = typeof options.base === 'number' ? [options.base, options.base] : options.base
  const base = [amount('base', low), amount('base', high)] as const
  const min = options.min === undefined ? undefined : amount('min', options.min)
  const max = options.max === undefined ? undefined : amount('max', options.max)
  if (base[0] > base[1] || (min !== undefined && max !== undefined && min > max)) {
    throw new ConfigError(`${where}: the lower end of "base" or of "min" and "max" lies above the upper end.`)
  }
  const { spike, shift, stuck } = options
  const spikeSpec = spike && episodeSpec(`${where}: "spike"`, spike, ['by'], 1)
  return {
    kind: 'measure',
    scale,
    base,
    season: wave('season', '1 day'),
    drift: wave('drift', '1 hour'),
    noise: size('noise', options.noise ?? 0),
    min,
    max,
    spike: spikeSpec && {
      rate: spikeSpec.rate,
      everyMs: spikeSpec.everyMs,
      by: amount('spike.by', (spike as { by: number }).by),
    },
    shift: shift && { ...episodeSpec(`${where}: "shift"`, shift, ['by']), by: amount('shift.by', shift.by) },
    stuck: stuck && episodeSpec(`${where}: "stuck"`, stuck),
  }
}

/** Makes the cell of a measure. */
export function measureCell(spec: MeasureSpec, column: Column, { slotMs, keysOf }: CellContext): Cell {
  const { type } = column
  const { scale } = spec
  const low = spec.min ?? Number.MIN_SAFE_INTEGER + 1
  const high = spec.max ?? Number.MAX_SAFE_INTEGER
  const { fill, episodes } = withAnomalies(spec, makeLevel(spec, slotMs, keysOf), slotMs, keysOf)
  const fillWithin: Fill = (into, device, tick, count) => {
    fill(into, device, tick, count)
    for (let i = 0; i < count; i++) into[i] = Math.max(low, Math.min(into[i] as number, high))
  }
  const one = { into: new Float64Array(1), device: new Uint32Array(1), tick: new Float64Array(1) }
  return {
    draw: ({ device, draws }) => {
      one.device[0] = device
      one.tick[0] = draws
      fillWithin(one.into, one.device, one.tick, 1)
      return one.into[0] as number
    },
    fill: ({ count, device, draws }, into) => fillWithin(into, device, draws, count),
    value: (drawn) => {
      if (type.kind === 'bigint') return BigInt(drawn)
      if (type.kind === 'decimal') return fixed(scaledText(drawn, scale), type.scale)
      // One correctly rounded division gives the double nearest to the decimal, which is also what reading its text gives.
      return drawn / powerOfTen(scale)
    },
    form: { kind: 'scaled', scale, fixedDigits: type.kind === 'decimal' ? type.scale : -1 },
    episodes,
  }
}

/** The readings of devices at ticks. */
type Fill = (into: Float64Array, device: Uint32Array, tick: Float64Array, count: number) => void

function makeLevel({ base, season, drift, noise }: MeasureSpec, slotMs: number, keysOf: CellContext['keysOf']): Fill {
  const baseKeys = keysOf('base')
  const noiseKeys = keysOf('noise')
  const bases = Float64Array.from(
    baseKeys.first,
    (_, device) => base[0] + scaleDraw(draw(baseKeys, device, 0), base[1] - base[0] + 1),
  )
  const wander = drift && makeWander(drift, bases.length, keysOf)
  const times = new Float64Array(blockLines)
  return (into, device, tick, count) => {
    for (let i = 0; i < count; i++) into[i] = bases[device[i] as number] as number
    if (season) addSeason(into, season, tick, count, slotMs)
    if (wander) {
      for (let i = 0; i < count; i++) times[i] = (tick[i] as number) * slotMs
      wander.addTo(into, device, times, count)
    }
    if (noise > 0) addNoise(into, noise, noiseKeys, device, tick, count)
  }
}

function addSeason(
  into: Float64Array,
  { amplitude, periodMs }: NonNullable<MeasureSpec['season']>,
  ticks: Float64Array,
  count: number,
  slotMs: number,
): void {
  // The same for all devices of a tick: computed once.
  let tick = Number.NaN
  let height = 0
  for (let i = 0; i < count; i++) {
    if (ticks[i] !== tick) {
      tick = ticks[i] as number
      const at = tick * slotMs
      const phase = Math.floor(((at - Math.floor(at / periodMs) * periodMs) * 65_536) / periodMs)
      height = Math.floor((amplitude * sine(phase)) / 65_536)
    }
    into[i] = (into[i] as number) + height
  }
}

function addNoise(
  into: Float64Array,
  noise: number,
  keys: DrawKeys,
  device: Uint32Array,
  tick: Float64Array,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const bits = draw(keys, device[i] as number, tick[i] as number)
    // The sum of two even draws: small differences are more frequent than large ones.
    into[i] = (into[i] as number) + Math.floor((((bits >>> 16) + (bits & 0xffff) - 65_535) * noise) / 65_536)
  }
}

function withAnomalies(
  { spike, shift, stuck }: MeasureSpec,
  level: Fill,
  slotMs: number,
  keysOf: CellContext['keysOf'],
): { fill: Fill; episodes?: Cell['episodes'] } {
  if (!spike && !shift && !stuck) return { fill: level }
  const make = (kind: CellEpisode['kind'], spec: EpisodeSpec | undefined): Episodes | undefined =>
    spec && makeEpisodes(spec, (part) => keysOf(`${kind}:${part}`))
  // As long as one slot, so exactly one slot begins in it.
  const spikes = make('spike', spike && { ...spike, lastsMs: Math.min(slotMs, spike.everyMs) })
  const shifts = make('shift', shift)
  const stucks = make('stuck', stuck)
  const shown = new Float64Array(blockLines)
  /** The tick whose level a device shows: while it is stuck, the first one of that time. */
  const shownTick = (device: number, tick: number): number => {
    const since = stucks ? stucks.startAt(device, tick * slotMs) : Number.NaN
    return Number.isNaN(since) ? tick : Math.ceil(since / slotMs)
  }
  const addEpisodes = (into: Float64Array, device: Uint32Array, tick: Float64Array, count: number, by: number, all: Episodes) => {
    for (let i = 0; i < count; i++) {
      const isIn = !Number.isNaN(all.startAt(device[i] as number, (tick[i] as number) * slotMs))
      if (isIn) into[i] = (into[i] as number) + by
    }
  }
  return {
    fill: (into, device, tick, count) => {
      for (let i = 0; i < count; i++) shown[i] = shownTick(device[i] as number, tick[i] as number)
      level(into, device, shown, count)
      if (shifts) addEpisodes(into, device, tick, count, (shift as { by: number }).by, shifts)
      if (spikes) addEpisodes(into, device, tick, count, (spike as { by: number }).by, spikes)
    },
    episodes: (device, span) => {
      const found: CellEpisode[] = []
      for (const own of spikes?.within(device, span) ?? []) found.push({ kind: 'spike', ...own })
      for (const own of shifts?.within(device, span) ?? []) found.push({ kind: 'shift', ...own })
      for (const own of stucks?.within(device, span) ?? []) found.push({ kind: 'stuck', ...own })
      return found.sort((a, b) => a.from - b.from)
    },
  }
}

function fixed(text: string, digits: number): string {
  const [whole, fraction = ''] = text.split('.')
  return digits === 0 ? (whole as string) : `${whole}.${fraction.padEnd(digits, '0')}`
}
