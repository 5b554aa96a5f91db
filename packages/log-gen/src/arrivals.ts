import { makeClockFaults } from './clock-fault'
import type { Anomalies } from './device-anomaly'
import { makeDeviceClock } from './device-clock'
import type { Faults } from './fault'
import { blockLines, blockVisitor, emptyLine, type LineBlock, lineBlock } from './line-block'
import type { Line, LineFault, LineSource } from './lines'
import { type DrawKeys, draw, rateThreshold, scaleDraw, streamKeys } from './random'
import { makeFates } from './record-fate'
import type { Schedule } from './schedule'
import type { FileId, Shard } from './shard'

/** What decides when records happen and arrive. */
export interface ArrivalOptions {
  readonly seed: number
  readonly words: DrawKeys
  readonly fileMs: number
  readonly latenessMs: number
  /** Event times are multiples of this many milliseconds. */
  readonly unitMs: number
  readonly startMs: number
  readonly endMs: number
  readonly schedule: Schedule
  readonly anomalies: Anomalies
  readonly faults: Faults
}

/** Lines of a file by formula: nothing is carried from file to file. */
export interface Arrivals extends Pick<LineSource, 'visit' | 'visitBlocks'> {
  /** How far the clock of a device is ahead; `undefined` when all are right. */
  readonly skewOf: ((device: number, at: number) => number) | undefined
}

/** A record that is sent at another time than it happened. */
interface Delayed {
  readonly device: number
  readonly tick: number
  readonly happenedAt: number
  readonly emitTime: number
  readonly copy: 0 | 1
}

/** Ticks by which the payload of a changed copy is drawn beside: its own record and its neighbours are never meant. */
const changedBy = 1_000_003

/**
 * A record happens at slot · slotMs + phase of its device. It is sent at once, or, when it is late, after a delay of at least one file, and
 * stands in the file of the minute that sent it. So a file can be made alone: its own slots and a look back over the greatest lateness.
 */
export function makeArrivals(options: ArrivalOptions): Arrivals {
  const { words, fileMs, latenessMs, schedule, faults, startMs, endMs, unitMs } = options
  const { slotMs, phases, place, isEverySlot, happens } = schedule
  const keysOf = (stream: string) => streamKeys(options.seed, stream, words)
  const { fate, decide, hasDelays, looksBackMs, isPlain } = makeFates(faults, { fileMs, latenessMs }, keysOf)
  const { kindOf, wrongTime } = makeClockFaults(faults.clock, unitMs, keysOf)
  const skewOf = makeDeviceClock(options.anomalies, unitMs, keysOf)
  const malform = makeMalformer(faults, keysOf)
  const ordersOf = shardOrders(schedule.order, words)

  const line = emptyLine()
  /** Fills the line from what `decide` found. */
  function fill(device: number, tick: number, happenedAt: number, emitTime: number, copy: 0 | 1): Line {
    const { duplicate } = fate
    line.device = device
    line.tick = tick
    line.draws = copy === 1 && duplicate === 'changed' ? tick + changedBy : tick
    line.emitTime = emitTime
    line.copy = copy
    line.duplicate = copy === 1 ? duplicate : undefined
    line.delay = fate.delay
    line.clock = kindOf(device, tick)
    const shown = skewOf ? happenedAt + skewOf(device, happenedAt) : happenedAt
    line.eventTime = line.clock ? wrongTime(line.clock, device, tick, shown) : shown
    line.malformed = malform(device, tick, copy, line.eventTime)
    return line
  }

  // Records that are sent while the file is open, but not when they happened: in the order in which they are sent.
  function delayedOf({ start }: FileId, order: Uint32Array): Delayed[] {
    const found: Delayed[] = []
    if (!hasDelays) return found
    const end = start + fileMs
    const from = Math.max(start - looksBackMs, startMs)
    const to = Math.min(end, endMs)
    for (const device of order) {
      const phase = phases[device] as number
      for (let tick = Math.ceil((from - phase) / slotMs); ; tick++) {
        const happenedAt = tick * slotMs + phase
        if (happenedAt >= to) break
        if (!isEverySlot && !happens(device, tick)) continue
        decide(device, tick, happenedAt)
        const { emitTime, duplicate, laterTime } = fate
        if (emitTime !== happenedAt && emitTime >= start && emitTime < end) {
          found.push({ device, tick, happenedAt, emitTime, copy: 0 })
          if (duplicate && laterTime === undefined) found.push({ device, tick, happenedAt, emitTime, copy: 1 })
        }
        if (laterTime !== undefined && laterTime >= start && laterTime < end) {
          found.push({ device, tick, happenedAt, emitTime: laterTime, copy: 1 })
        }
      }
    }
    const position = (device: number) => place[device] as number
    return found.sort(
      (a, b) => a.emitTime - b.emitTime || position(a.device) - position(b.device) || a.tick - b.tick || a.copy - b.copy,
    )
  }

  const visit: Arrivals['visit'] = (file, visit, lost) => {
    const fileStart = file.start
    const fileEnd = fileStart + fileMs
    const order = ordersOf(file.shard)
    const delayed = delayedOf(file, order)
    let next = 0
    const emitDelayed = (until: number) => {
      for (; next < delayed.length && (delayed[next] as Delayed).emitTime <= until; next++) {
        const { device, tick, happenedAt, emitTime, copy } = delayed[next] as Delayed
        decide(device, tick, happenedAt)
        if (!fate.isLost) visit(fill(device, tick, happenedAt, emitTime, copy))
        else if (copy === 0) lost?.(fill(device, tick, happenedAt, emitTime, copy))
      }
    }
    const from = Math.max(fileStart, startMs)
    const to = Math.min(fileEnd, endMs)
    for (let tick = Math.floor(fileStart / slotMs); tick * slotMs < to; tick++) {
      for (let i = 0; i < order.length; i++) {
        const device = order[i] as number
        const happenedAt = tick * slotMs + (phases[device] as number)
        if (happenedAt < from || happenedAt >= to) continue
        if (!isEverySlot && !happens(device, tick)) continue
        if (isPlain) {
          visit(fill(device, tick, happenedAt, happenedAt, 0))
          continue
        }
        decide(device, tick, happenedAt)
        if (fate.emitTime !== happenedAt) continue
        if (next < delayed.length && (delayed[next] as Delayed).emitTime <= happenedAt) {
          emitDelayed(happenedAt)
          decide(device, tick, happenedAt)
        }
        if (fate.isLost) {
          lost?.(fill(device, tick, happenedAt, happenedAt, 0))
          continue
        }
        const isAgain = fate.duplicate !== undefined && fate.laterTime === undefined
        visit(fill(device, tick, happenedAt, happenedAt, 0))
        if (isAgain) visit(fill(device, tick, happenedAt, happenedAt, 1))
      }
    }
    emitDelayed(fileEnd)
  }

  /** The lines of a file of which each record is sent once, when it happens, and as it should: nothing is decided line by line. */
  const visitPlain: Arrivals['visitBlocks'] = (file, take) => {
    const block = lineBlock()
    const order = ordersOf(file.shard)
    const from = Math.max(file.start, startMs)
    const to = Math.min(file.start + fileMs, endMs)
    for (let tick = Math.floor(file.start / slotMs); tick * slotMs < to; tick++) {
      for (let first = 0; first < order.length; ) {
        const end = Math.min(order.length, first + blockLines - block.count)
        addSlot(block, order, first, end, tick, from, to)
        first = end
        if (block.count < blockLines) continue
        take(block)
        block.count = 0
      }
    }
    if (block.count > 0) take(block)
  }

  /** Adds the records that some devices have in a slot. */
  function addSlot(
    block: LineBlock,
    order: Uint32Array,
    first: number,
    end: number,
    tick: number,
    from: number,
    to: number,
  ): void {
    const { device: devices, tick: ticks, draws, eventTime, emitTime } = block
    let { count } = block
    for (let i = first; i < end; i++) {
      const device = order[i] as number
      const at = tick * slotMs + (phases[device] as number)
      if (at < from || at >= to) continue
      devices[count] = device
      ticks[count] = tick
      draws[count] = tick
      eventTime[count] = at
      emitTime[count] = at
      count++
    }
    block.count = count
  }

  const isSound = faults.clock.rate === 0 && faults.malformed.rate === 0 && !faults.schemaDrift
  const isAsItShould = isPlain && isEverySlot && !skewOf && isSound
  return { skewOf, visit, visitBlocks: isAsItShould ? visitPlain : blockVisitor(visit) }
}

/** The devices of each shard, in the order of the fleet. A device belongs to a shard by its name, so it stays there when others come and go. */
function shardOrders(order: Uint32Array, words: DrawKeys): (shard: Shard) => Uint32Array {
  const known = new Map<string, Uint32Array>()
  return ({ index, of }) => {
    if (of === 1) return order
    const key = `${index}/${of}`
    let own = known.get(key)
    if (!own) {
      own = order.filter((device) => (words.first[device] as number) % of === index)
      known.set(key, own)
    }
    return own
  }
}

function makeMalformer(
  { malformed, schemaDrift }: Faults,
  keysOf: (stream: string) => DrawKeys,
): (device: number, tick: number, copy: 0 | 1, eventTime: number) => LineFault | undefined {
  const keys = keysOf('fault:malformed')
  const kindKeys = keysOf('fault:malformed-kind')
  const driftKeys = keysOf('fault:schema-drift')
  const below = rateThreshold(malformed.rate)
  const driftBelow = rateThreshold(schemaDrift?.share ?? 0)
  const { kinds } = malformed
  return (device, tick, copy, eventTime) => {
    const counter = tick * 2 + copy
    if (below > 0 && draw(keys, device, counter) < below) return kinds[scaleDraw(draw(kindKeys, device, counter), kinds.length)]
    if (schemaDrift && eventTime >= schemaDrift.atMs && draw(driftKeys, device, 0) < driftBelow) return 'renamed-column'
    return undefined
  }
}
