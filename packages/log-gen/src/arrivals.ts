import type { Faults, MalformedKind } from './fault'
import type { Line } from './lines'
import { type DrawKeys, draw, fleetKey, rateThreshold, scaleDraw, streamKeys } from './random'

/** What decides when records happen and arrive. */
export interface ArrivalOptions {
  readonly seed: number
  readonly words: DrawKeys
  readonly everyMs: number
  readonly fileMs: number
  readonly latenessMs: number
  /** Event times are multiples of this many milliseconds. */
  readonly unitMs: number
  readonly startMs: number
  readonly endMs: number
  readonly faults: Faults
}

/** When the copies of a record are sent. */
interface Copies {
  emitTime: number
  /** Sent right behind the first copy. */
  again: boolean
  /** Sent once more in a later file. */
  laterTime: number | undefined
}

/** Lines of a file by formula: nothing is carried from file to file. */
export interface Arrivals {
  visit(fileStart: number, visit: (line: Line) => void): void
  rowsBeforeCut(fileStart: number, rows: number): number | undefined
}

/**
 * A record happens at tick · every + phase of its device. It is sent at once, or, when it is late, after a delay of at least one file
 * and at most the allowed lateness, and stands in the file of the minute that sent it. So a file can be made alone: its own ticks and a
 * look back over the allowed lateness.
 */
export function makeArrivals(options: ArrivalOptions): Arrivals {
  const { seed, words, everyMs, fileMs, latenessMs, unitMs, faults } = options
  const keysOf = (stream: string) => streamKeys(seed, stream, words)
  const devices = words.first.length
  const phaseKeys = keysOf('phase')
  const phases = Array.from(words.first, (_, device) => scaleDraw(draw(phaseKeys, device, 0), everyMs / unitMs) * unitMs)
  // By phase: then the records of one tick come in the order of their event time.
  const order = Uint32Array.from(phases.keys()).sort((a, b) => (phases[a] as number) - (phases[b] as number) || a - b)
  const place = new Uint32Array(devices)
  order.forEach((device, position) => {
    place[device] = position
  })

  const lateKeys = keysOf('fault:late')
  const latenessKeys = keysOf('fault:lateness')
  const duplicateKeys = keysOf('fault:duplicate')
  const placementKeys = keysOf('fault:duplicate-placement')
  const delayKeys = keysOf('fault:duplicate-delay')
  const lateBelow = rateThreshold(faults.late)
  const duplicateBelow = rateThreshold(faults.duplicate)

  const copies: Copies = { emitTime: 0, again: false, laterTime: undefined }
  function copiesOf(device: number, tick: number, eventTime: number): void {
    let lateness = 0
    if (lateBelow > 0 && draw(lateKeys, device, tick) < lateBelow) {
      lateness = fileMs + scaleDraw(draw(latenessKeys, device, tick), latenessMs - fileMs + 1)
    }
    copies.emitTime = eventTime + lateness
    copies.again = false
    copies.laterTime = undefined
    if (duplicateBelow > 0 && draw(duplicateKeys, device, tick) < duplicateBelow) {
      const room = latenessMs - lateness - fileMs
      // Where the allowed lateness leaves no room for a later file, the copy stands in the same one.
      if (room < 0 || (draw(placementKeys, device, tick) & 1) === 0) copies.again = true
      else copies.laterTime = copies.emitTime + fileMs + scaleDraw(draw(delayKeys, device, tick), room + 1)
    }
  }

  const malform = malformer(options, keysOf)
  const line: Line = { device: 0, tick: 0, eventTime: 0, emitTime: 0, copy: 0, malformed: undefined }
  function emit(
    visit: (line: Line) => void,
    device: number,
    tick: number,
    eventTime: number,
    emitTime: number,
    copy: 0 | 1,
  ): void {
    line.device = device
    line.tick = tick
    line.eventTime = eventTime
    line.emitTime = emitTime
    line.copy = copy
    line.malformed = malform(device, tick, copy)
    visit(line)
  }

  interface Delayed {
    readonly device: number
    readonly tick: number
    readonly eventTime: number
    readonly emitTime: number
    readonly copy: 0 | 1
  }
  const looksBack = latenessMs >= fileMs && (lateBelow > 0 || duplicateBelow > 0)

  // Late records and later copies that are sent while the file is open.
  function delayedOf(fileStart: number, fileEnd: number): Delayed[] {
    const found: Delayed[] = []
    if (!looksBack) return found
    const from = Math.max(fileStart - latenessMs, options.startMs)
    const to = Math.min(fileEnd, options.endMs)
    for (let device = 0; device < devices; device++) {
      const phase = phases[device] as number
      for (let tick = Math.ceil((from - phase) / everyMs); ; tick++) {
        const eventTime = tick * everyMs + phase
        if (eventTime >= to) break
        copiesOf(device, tick, eventTime)
        const { emitTime, again, laterTime } = copies
        if (emitTime !== eventTime && emitTime >= fileStart && emitTime < fileEnd) {
          found.push({ device, tick, eventTime, emitTime, copy: 0 })
          if (again) found.push({ device, tick, eventTime, emitTime, copy: 1 })
        }
        if (laterTime !== undefined && laterTime >= fileStart && laterTime < fileEnd) {
          found.push({ device, tick, eventTime, emitTime: laterTime, copy: 1 })
        }
      }
    }
    const position = (device: number) => place[device] as number
    return found.sort(
      (a, b) => a.emitTime - b.emitTime || position(a.device) - position(b.device) || a.tick - b.tick || a.copy - b.copy,
    )
  }

  return {
    visit: (fileStart, visit) => {
      const fileEnd = fileStart + fileMs
      const delayed = delayedOf(fileStart, fileEnd)
      let next = 0
      const emitDelayed = (until: number) => {
        for (; next < delayed.length && (delayed[next] as Delayed).emitTime <= until; next++) {
          const { device, tick, eventTime, emitTime, copy } = delayed[next] as Delayed
          emit(visit, device, tick, eventTime, emitTime, copy)
        }
      }
      const from = Math.max(fileStart, options.startMs)
      const to = Math.min(fileEnd, options.endMs)
      for (let tick = Math.floor(fileStart / everyMs); tick * everyMs < to; tick++) {
        for (let i = 0; i < devices; i++) {
          const device = order[i] as number
          const eventTime = tick * everyMs + (phases[device] as number)
          if (eventTime < from || eventTime >= to) continue
          copiesOf(device, tick, eventTime)
          const { emitTime, again } = copies
          if (emitTime !== eventTime) continue
          if (next < delayed.length) emitDelayed(eventTime)
          emit(visit, device, tick, eventTime, eventTime, 0)
          if (again) emit(visit, device, tick, eventTime, eventTime, 1)
        }
      }
      emitDelayed(fileEnd)
    },
    rowsBeforeCut: cutter(options),
  }
}

function malformer(
  { faults }: ArrivalOptions,
  keysOf: (stream: string) => DrawKeys,
): (device: number, tick: number, copy: 0 | 1) => MalformedKind | undefined {
  const keys = keysOf('fault:malformed')
  const kindKeys = keysOf('fault:malformed-kind')
  const below = rateThreshold(faults.malformed)
  const { kinds } = faults
  return (device, tick, copy) => {
    const counter = tick * 2 + copy
    return below > 0 && draw(keys, device, counter) < below
      ? kinds[scaleDraw(draw(kindKeys, device, counter), kinds.length)]
      : undefined
  }
}

function cutter({ seed, fileMs, faults }: ArrivalOptions): Arrivals['rowsBeforeCut'] {
  const { cut } = faults
  if (!cut) return () => undefined
  const fileKeys = fleetKey(seed, 'fault:cut-file')
  const rowKeys = fleetKey(seed, 'fault:cut-row')
  const isCut = (fileStart: number): boolean => {
    if ('rate' in cut) return draw(fileKeys, 0, fileStart / fileMs) < rateThreshold(cut.rate)
    const span = Math.floor(fileStart / cut.everyMs)
    const chosen = scaleDraw(draw(fileKeys, 0, span), cut.everyMs / fileMs)
    return fileStart === span * cut.everyMs + chosen * fileMs
  }
  // At least one row stays readable and at least one is lost.
  return (fileStart, rows) =>
    rows < 2 || !isCut(fileStart) ? undefined : 1 + scaleDraw(draw(rowKeys, 0, fileStart / fileMs), rows - 1)
}
