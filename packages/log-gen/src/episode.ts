import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type DrawKeys, draw, rateThreshold, scaleDraw } from './random'

/** Spans of time in which something happens to a device: at most one in each `every`, so that any instant is decided alone. */
export interface EpisodeOptions {
  /** Share of the spans `every` of each device that have an episode, 0–1. */
  readonly rate: number
  /** Aligned to 1970, so `'1 hour'` is a clock hour. Default `'1 hour'`. */
  readonly every?: Duration | undefined
  /** Length of an episode, at most `every`. Default `'5 minutes'`. */
  readonly lasts?: Duration | undefined
}

/** Checked {@link EpisodeOptions}. */
export interface EpisodeSpec {
  readonly rate: number
  readonly everyMs: number
  readonly lastsMs: number
}

/** A half-open span of time, milliseconds. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** The episodes of a fleet. */
export interface Episodes {
  /** Start of the episode that holds the instant; `NaN` when there is none. */
  startAt(device: number, at: number): number
  /** Episodes of a device that overlap the span, in order. */
  within(device: number, span: Span): Span[]
}

/**
 * Checks episodes. Names in `more` are checked by the caller.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function episodeSpec(where: string, options: EpisodeOptions, more: readonly string[] = [], lasts?: number): EpisodeSpec {
  const fixed = lasts !== undefined
  checkOptions(where, options, { required: ['rate', ...more], optional: fixed ? ['every'] : ['every', 'lasts'] })
  const { rate } = options
  if (!(rate >= 0 && rate <= 1)) throw new ConfigError(`${where}: the rate must be from 0 to 1, not ${rate}.`)
  const everyMs = durationMs(options.every ?? '1 hour')
  const lastsMs = lasts ?? durationMs(options.lasts ?? '5 minutes')
  if (!Number.isInteger(everyMs) || everyMs < 1000 || everyMs > 366 * 86_400_000) {
    throw new ConfigError(`${where}: "every" must be from '1 second' to '366 days'.`)
  }
  if (!Number.isInteger(lastsMs) || lastsMs < 1 || lastsMs > everyMs) {
    throw new ConfigError(`${where}: an episode of ${lastsMs} ms does not fit into its "every" of ${everyMs} ms.`, {
      hint: 'Give a longer "every" or a shorter "lasts".',
    })
  }
  return { rate, everyMs, lastsMs }
}

/** Episodes by formula: one hash says whether a span has one, another where in the span it lies. */
export function makeEpisodes({ rate, everyMs, lastsMs }: EpisodeSpec, keysOf: (part: string) => DrawKeys): Episodes {
  const keys = keysOf('episode')
  const placeKeys = keysOf('episode-place')
  const below = rateThreshold(rate)
  const startOf = (device: number, cell: number) =>
    draw(keys, device, cell) < below
      ? cell * everyMs + scaleDraw(draw(placeKeys, device, cell), everyMs - lastsMs + 1)
      : Number.NaN
  // Only a memory of the last span of each device; no result depends on it.
  const cells = new Float64Array(keys.first.length).fill(Number.NaN)
  const starts = new Float64Array(keys.first.length)
  return {
    startAt: (device, at) => {
      const cell = Math.floor(at / everyMs)
      if (cells[device] !== cell) {
        cells[device] = cell
        starts[device] = startOf(device, cell)
      }
      const start = starts[device] as number
      return at >= start && at < start + lastsMs ? start : Number.NaN
    },
    within: (device, { from, to }) => {
      const found: Span[] = []
      for (let cell = Math.floor(from / everyMs); cell * everyMs < to; cell++) {
        const start = startOf(device, cell)
        if (start < to && start + lastsMs > from) found.push({ from: start, to: start + lastsMs })
      }
      return found
    },
  }
}
