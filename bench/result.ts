/** One measured implementation of a suite. Times are of one round, in milliseconds. */
export interface BenchRow {
  readonly name: string
  /** `floor`: the physical bound measured in the same run. */
  readonly kind: 'ours' | 'peer' | 'floor'
  readonly medianMs: number
  readonly minMs: number
  readonly maxMs: number
  readonly cpuMs: number
  readonly peakRssMb: number
  /** Of what was produced: implementations with another digest than the reference are not comparable. */
  readonly digest: string
  readonly verdict: 'ok' | 'lossy' | 'wrong' | 'failed'
}

/** One promised ratio. */
export interface BenchTarget {
  readonly name: string
  readonly ratio: number
  readonly target: number
  readonly better: 'higher' | 'lower'
  readonly met: boolean
}

/** What a suite gives back; written to `bench/results/<suite>.json`. */
export interface BenchResult {
  readonly rows: readonly BenchRow[]
  readonly targets: readonly BenchTarget[]
}

/** A suite: a file of this folder that exports `suite`. */
export interface BenchSuite {
  readonly name: string
  run(log: (line: string) => void): Promise<BenchResult>
}

/** What one round of one implementation measured. */
export interface Round {
  readonly ms: number
  readonly cpuMs: number
  readonly peakRssMb: number
  readonly digest: string
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Rounds of several implementations, interleaved ABCABC so that a slow moment of the machine hits all; the first round is not counted. */
export async function interleave<Name extends string>(
  implementations: Readonly<Record<Name, () => Promise<Round>>>,
  rounds: number,
  log: (line: string) => void,
): Promise<Record<Name, Round[]>> {
  const names = Object.keys(implementations) as Name[]
  const measured = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Round[]>
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const result = await implementations[name]()
      if (round > 0) measured[name].push(result)
    }
    log(`round ${round}/${rounds}${round === 0 ? ' (warm-up)' : ''}`)
  }
  return measured
}

/** The row of a report for the rounds of one implementation. */
export function benchRow(
  name: string,
  kind: BenchRow['kind'],
  rounds: readonly Round[],
  verdict: BenchRow['verdict'] = 'ok',
): BenchRow {
  const times = rounds.map(({ ms }) => ms)
  return {
    name,
    kind,
    medianMs: round2(median(times)),
    minMs: round2(Math.min(...times)),
    maxMs: round2(Math.max(...times)),
    cpuMs: round2(median(rounds.map(({ cpuMs }) => cpuMs))),
    peakRssMb: round2(Math.max(...rounds.map(({ peakRssMb }) => peakRssMb))),
    digest: rounds[0]?.digest ?? '',
    verdict,
  }
}

/** A target, judged. */
export function benchTarget(name: string, ratio: number, better: 'higher' | 'lower', target: number): BenchTarget {
  return { name, ratio: round2(ratio), target, better, met: better === 'lower' ? ratio <= target : ratio >= target }
}

function round2(value: number): number {
  return Math.round(value * 100) / 100
}
