import type { Anomalies } from './device-anomaly'
import { type DrawKeys, draw, rateThreshold, scaleDraw } from './random'
import { makeWander } from './wander'

/**
 * How far the clock of a device is ahead of the true time, in milliseconds: a multiple of `unitMs`, 0 for devices whose clock is right.
 * `undefined` when all clocks are.
 */
export function makeDeviceClock(
  { clockSkew }: Anomalies,
  unitMs: number,
  keysOf: (part: string) => DrawKeys,
): ((device: number, at: number) => number) | undefined {
  if (!clockSkew) return undefined
  const { share, upToMs, driftMs } = clockSkew
  const keys = keysOf('clock-skew')
  const amountKeys = keysOf('clock-skew-amount')
  const steps = Math.floor(upToMs / unitMs)
  const isWrong = Array.from(keys.first, (_, device) => draw(keys, device, 0) < rateThreshold(share))
  if (driftMs !== undefined) {
    const wander = makeWander({ amplitude: steps, periodMs: driftMs }, isWrong.length, (part) => keysOf(`clock-skew:${part}`))
    return (device, at) => (isWrong[device] ? wander.at(device, at) * unitMs : 0)
  }
  const amounts = isWrong.map((wrong, device) =>
    wrong ? (scaleDraw(draw(amountKeys, device, 0), 2 * steps + 1) - steps) * unitMs : 0,
  )
  return (device) => amounts[device] as number
}
