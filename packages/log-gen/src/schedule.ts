import type { Anomalies } from './device-anomaly'
import { makeEpisodes, type Span } from './episode'
import { type DrawKeys, draw, scaleDraw, streamKeys } from './random'

/** What decides when records happen. */
export interface ScheduleOptions {
  readonly seed: number
  readonly words: DrawKeys
  readonly everyMs: number
  /** Event times are multiples of this many milliseconds. */
  readonly unitMs: number
  readonly load: 'even' | 'zipf'
  readonly anomalies: Anomalies
}

/** When the devices of a fleet have records: at slot · slotMs + phase, where the slot is theirs. A pure function of device and slot. */
export interface Schedule {
  readonly slotMs: number
  readonly phases: Float64Array
  /** Devices by phase: the records of one slot come in the order of their time. */
  readonly order: Uint32Array
  /** Position of each device in `order`. */
  readonly place: Uint32Array
  /** Whether each device has a record in each slot: then {@link Schedule.happens} need not be asked. */
  readonly isEverySlot: boolean
  happens(device: number, slot: number): boolean
  /** Number of the device's record in the slot: since 1970, or since its last reboot. */
  ordinalOf(device: number, slot: number): number
  /** What happens to a device within a span of time. */
  episodesOf(device: number, span: Span): DeviceEpisode[]
}

/** Something that happens to a device in a span of time; a reboot happens at its start. */
export interface DeviceEpisode extends Span {
  readonly kind: 'drop-out' | 'hot' | 'reboot'
}

/**
 * With `load: 'zipf'` the r-th device has a record in each r-th slot, so its share falls as 1/r. With hot devices the slots are as short as
 * a hot device needs them, and the others use each `times`-th.
 */
export function makeSchedule({ seed, words, everyMs, unitMs, load, anomalies }: ScheduleOptions): Schedule {
  const keysOf = (stream: string) => streamKeys(seed, stream, words)
  const devices = words.first.length
  const times = anomalies.hot?.times ?? 1
  const slotMs = everyMs / times
  const phaseKeys = keysOf('phase')
  const phases = Float64Array.from(words.first, (_, device) => scaleDraw(draw(phaseKeys, device, 0), slotMs / unitMs) * unitMs)
  const order = Uint32Array.from(phases.keys()).sort((a, b) => (phases[a] as number) - (phases[b] as number) || a - b)
  const place = new Uint32Array(devices)
  order.forEach((device, position) => {
    place[device] = position
  })
  const strides = Uint32Array.from(words.first, (_, device) => (load === 'zipf' ? device + 1 : 1) * times)
  const offsetKeys = keysOf('load-offset')
  const offsets = strides.map((stride, device) => scaleDraw(draw(offsetKeys, device, 0), stride))
  const hot = anomalies.hot && makeEpisodes(anomalies.hot, (part) => keysOf(`hot:${part}`))
  const dropOut = anomalies.dropOut && makeEpisodes(anomalies.dropOut, (part) => keysOf(`drop-out:${part}`))
  const timeOf = (device: number, slot: number) => slot * slotMs + (phases[device] as number)
  // With hot devices, and nothing else, a record is numbered by its slot: how many there were before has no formula.
  const numberOf = (device: number, slot: number) =>
    hot ? slot : Math.floor((slot - (offsets[device] as number)) / (strides[device] as number))
  const lastReboot = anomalies.reboot && makeReboots(anomalies.reboot.everyMs, keysOf('reboot'))
  return {
    slotMs,
    phases,
    order,
    place,
    isEverySlot: times === 1 && load === 'even' && !dropOut,
    happens: (device, slot) => {
      const at = timeOf(device, slot)
      if (dropOut && !Number.isNaN(dropOut.startAt(device, at))) return false
      const stride = strides[device] as number
      const isOwn = stride === 1 || (slot - (offsets[device] as number)) % stride === 0
      return isOwn || (hot !== undefined && !Number.isNaN(hot.startAt(device, at)))
    },
    ordinalOf: (device, slot) => {
      if (!lastReboot) return numberOf(device, slot)
      const reboot = lastReboot(device, timeOf(device, slot))
      const firstSlot = Math.ceil((reboot - (phases[device] as number)) / slotMs)
      const first = hot ? firstSlot : Math.ceil((firstSlot - (offsets[device] as number)) / (strides[device] as number))
      return numberOf(device, slot) - first
    },
    episodesOf: (device, span) => {
      const found: DeviceEpisode[] = []
      for (const own of dropOut?.within(device, span) ?? []) found.push({ kind: 'drop-out', ...own })
      for (const own of hot?.within(device, span) ?? []) found.push({ kind: 'hot', ...own })
      if (lastReboot) {
        for (let at = span.to - 1; ; at--) {
          at = lastReboot(device, at)
          if (at < span.from) break
          found.push({ kind: 'reboot', from: at, to: at })
        }
      }
      return found.sort((a, b) => a.from - b.from)
    },
  }
}

/** When a device last started anew: once in each span, at an instant of its own. */
export function makeReboots(everyMs: number, keys: DrawKeys): (device: number, at: number) => number {
  const inSpan = (device: number, span: number) => span * everyMs + scaleDraw(draw(keys, device, span), everyMs)
  return (device, at) => {
    const span = Math.floor(at / everyMs)
    const own = inSpan(device, span)
    return own <= at ? own : inSpan(device, span - 1)
  }
}
