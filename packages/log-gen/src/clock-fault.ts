import { type DrawKeys, draw, rateThreshold, scaleDraw } from './random'
import type { RatedKinds } from './rated'

/** Ways a single event time is wrong though the row can be read: see {@link FaultOptions.clock}. */
export const clockFaultKinds = ['future', 'epoch-zero', 'unit-slip', 'local-time'] as const

/**
 * A way a single event time is wrong. `future`: an hour to thirty days ahead. `epoch-zero`: 1970-01-01. `unit-slip`: seconds read as
 * milliseconds, or milliseconds as nanoseconds. `local-time`: the clock of central Europe written as if it were UTC, summer time included.
 */
export type ClockFaultKind = (typeof clockFaultKinds)[number]

const hourMs = 3_600_000

/** Decides which records have a wrong event time. */
export function makeClockFaults(
  { rate, kinds }: RatedKinds<ClockFaultKind>,
  unitMs: number,
  keysOf: (part: string) => DrawKeys,
): {
  kindOf(device: number, tick: number): ClockFaultKind | undefined
  wrongTime(kind: ClockFaultKind, device: number, tick: number, eventTime: number): number
} {
  const keys = keysOf('fault:clock')
  const kindKeys = keysOf('fault:clock-kind')
  const detailKeys = keysOf('fault:clock-detail')
  const below = rateThreshold(rate)
  const whole = (ms: number) => Math.floor(ms / unitMs) * unitMs
  return {
    kindOf: (device, tick) =>
      below > 0 && draw(keys, device, tick) < below ? kinds[scaleDraw(draw(kindKeys, device, tick), kinds.length)] : undefined,
    wrongTime: (kind, device, tick, eventTime) => {
      const bits = draw(detailKeys, device, tick)
      switch (kind) {
        case 'future':
          return whole(eventTime + hourMs + scaleDraw(bits, 719 * hourMs))
        case 'epoch-zero':
          return 0
        case 'unit-slip':
          return whole(eventTime / (bits & 1 ? 1000 : 1_000_000))
        case 'local-time':
          return eventTime + (isSummer(eventTime) ? 2 : 1) * hourMs
      }
    },
  }
}

/** European summer time: from 01:00 UTC of the last Sunday of March to that of October (directive 2000/84/EC). */
export function isSummer(at: number): boolean {
  const year = new Date(at).getUTCFullYear()
  return at >= lastSunday(year, 2) && at < lastSunday(year, 9)
}

function lastSunday(year: number, month: number): number {
  const last = new Date(Date.UTC(year, month + 1, 0))
  return Date.UTC(year, month, last.getUTCDate() - last.getUTCDay(), 1)
}
