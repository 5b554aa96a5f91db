import { openSync, writeSync } from 'node:fs'
import { inputOf } from './mutate'
import { targets } from './targets'

/** What a worker is given. */
export interface Work {
  readonly target: string
  readonly seed: number
  readonly from: number
  readonly to: number
  /** A file for the number of the input that is being read: it also says which one it was when the process is gone. */
  readonly place: string
}

/** What a worker says at its end. */
export interface WorkDone {
  readonly taken: number
  readonly refused: number
  /** Resident memory of its process, at most. */
  readonly peakMb: number
  readonly crashes: readonly { readonly number: number; readonly error: string }[]
}

/** A target that fails at every input says it no more often than this. */
const maxCrashes = 20

const { target: name, seed, from, to, place } = JSON.parse(process.argv[2]!) as Work
const target = targets.find((one) => one.name === name)!
const corpus = await target.corpus()
const file = openSync(place, 'w')
let taken = 0
let refused = 0
const crashes: { number: number; error: string }[] = []

for (let number = from; number < to && crashes.length < maxCrashes; number++) {
  writeSync(file, String(number).padStart(10), 0)
  try {
    const verdict = await target.read(inputOf({ seed, target: name, number }, corpus, target.words ?? []))
    if (verdict === 'taken') taken++
    else refused++
  } catch (error) {
    crashes.push({ number, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}
process.send!({ taken, refused, crashes, peakMb: Math.round(process.resourceUsage().maxRSS / 1024) } satisfies WorkDone)
process.disconnect()
