import type { DuplicateKind, Faults } from './fault'
import type { Line } from './lines'
import { type DrawKeys, draw, rateThreshold, scaleDraw } from './random'

/** What becomes of a record on its way: a pure function of device and tick. The object is used again for the next record. */
export interface Fate {
  /** Never sent. */
  isLost: boolean
  /** When the first copy is sent. */
  emitTime: number
  delay: Line['delay']
  duplicate: DuplicateKind | undefined
  /** When the second copy is sent; `undefined` when there is none, or it stands right behind the first one. */
  laterTime: number | undefined
}

/** Decides the fate of records. */
export interface RecordFates {
  readonly fate: Fate
  /** Sets `fate`. */
  decide(device: number, tick: number, eventTime: number): void
  /** How long before the start of a file a record may have happened that stands in it. */
  readonly looksBackMs: number
  /** Whether any record can be sent at another time than it happened. */
  readonly hasDelays: boolean
  /** Whether every record is sent once, when it happens: then nothing need be decided. */
  readonly isPlain: boolean
}

/** The fates of the records of a fleet. */
export function makeFates(
  faults: Faults,
  { fileMs, latenessMs }: { readonly fileMs: number; readonly latenessMs: number },
  keysOf: (stream: string) => DrawKeys,
): RecordFates {
  const lateKeys = keysOf('fault:late')
  const latenessKeys = keysOf('fault:lateness')
  const veryLateKeys = keysOf('fault:very-late')
  const veryLatenessKeys = keysOf('fault:very-lateness')
  const orderKeys = keysOf('fault:out-of-order')
  const shuffleKeys = keysOf('fault:out-of-order-delay')
  const duplicateKeys = keysOf('fault:duplicate')
  const placementKeys = keysOf('fault:duplicate-placement')
  const delayKeys = keysOf('fault:duplicate-delay')
  const gapKeys = keysOf('fault:gap')
  const lateBelow = rateThreshold(faults.late)
  const veryLateBelow = rateThreshold(faults.veryLate.rate)
  const orderBelow = rateThreshold(faults.outOfOrder.rate)
  const duplicateBelow = rateThreshold(faults.duplicate.rate)
  const gapBelow = rateThreshold(faults.gap)
  const { kinds } = faults.duplicate
  const isUsual = kinds.length === 2 && kinds[0] === 'in-file' && kinds[1] === 'later-file'
  const leastVeryLate = Math.max(latenessMs + 1, fileMs)
  const fate: Fate = { isLost: false, emitTime: 0, delay: undefined, duplicate: undefined, laterTime: undefined }

  function latenessOf(device: number, tick: number, eventTime: number): number {
    if (lateBelow > 0 && draw(lateKeys, device, tick) < lateBelow) {
      fate.delay = 'late'
      return fileMs + scaleDraw(draw(latenessKeys, device, tick), latenessMs - fileMs + 1)
    }
    if (veryLateBelow > 0 && draw(veryLateKeys, device, tick) < veryLateBelow) {
      fate.delay = 'very-late'
      return leastVeryLate + scaleDraw(draw(veryLatenessKeys, device, tick), faults.veryLate.upToMs - leastVeryLate + 1)
    }
    if (orderBelow > 0 && draw(orderKeys, device, tick) < orderBelow) {
      // It stays in its file: the last record of a file has nothing to stand behind.
      const room = Math.min(faults.outOfOrder.withinMs, fileMs - 1 - (eventTime - Math.floor(eventTime / fileMs) * fileMs))
      if (room > 0) {
        fate.delay = 'out-of-order'
        return 1 + scaleDraw(draw(shuffleKeys, device, tick), room)
      }
    }
    return 0
  }

  function duplicateOf(device: number, tick: number): DuplicateKind {
    const bits = draw(placementKeys, device, tick)
    if (isUsual) return (bits & 1) === 0 ? 'in-file' : 'later-file'
    return kinds[scaleDraw(bits, kinds.length)] as DuplicateKind
  }

  return {
    fate,
    isPlain: lateBelow + veryLateBelow + orderBelow + duplicateBelow + gapBelow === 0,
    hasDelays: lateBelow > 0 || veryLateBelow > 0 || orderBelow > 0 || (duplicateBelow > 0 && latenessMs >= fileMs),
    looksBackMs: Math.max(lateBelow > 0 || duplicateBelow > 0 ? latenessMs : 0, veryLateBelow > 0 ? faults.veryLate.upToMs : 0),
    decide: (device, tick, eventTime) => {
      fate.isLost = gapBelow > 0 && draw(gapKeys, device, tick) < gapBelow
      fate.delay = undefined
      const lateness = latenessOf(device, tick, eventTime)
      fate.emitTime = eventTime + lateness
      fate.duplicate = undefined
      fate.laterTime = undefined
      if (duplicateBelow > 0 && draw(duplicateKeys, device, tick) < duplicateBelow) {
        fate.duplicate = duplicateOf(device, tick)
        const room = latenessMs - lateness - fileMs
        // Where the allowed lateness leaves no room for a later file, the copy stands in the same one.
        if (room >= 0 && fate.duplicate !== 'in-file') {
          fate.laterTime = fate.emitTime + fileMs + scaleDraw(draw(delayKeys, device, tick), room + 1)
        } else if (fate.duplicate === 'later-file') fate.duplicate = 'in-file'
      }
    },
  }
}
