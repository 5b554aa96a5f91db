import { type BenchRow, type BenchTarget, benchTarget, median, type Round } from '../result'
import { isComplete } from './messages'

/** How often the other takes as long as ours, by wall time and by CPU time of the client. */
export interface Ratio {
  readonly wall: number
  readonly cpu: number
  /** How much of a core ours had. */
  readonly share: number
}

/** The ratio of the medians of interleaved rounds that did the same work. */
export function ratioOf(other: readonly Round[], ours: readonly Round[]): Ratio {
  const middle = (rounds: readonly Round[], what: 'ms' | 'cpuMs') => median(rounds.map((round) => round[what]))
  const of = (what: 'ms' | 'cpuMs') => middle(other, what) / middle(ours, what)
  return { wall: of('ms'), cpu: of('cpuMs'), share: middle(ours, 'cpuMs') / middle(ours, 'ms') }
}

/**
 * A target for speed. Wall time decides, unless it comes within a factor of 1.2 of the target, or work that keeps a core busy (`isBusy`) had
 * less than half of one because others use the machine: then CPU time does, which they disturb less.
 */
export function speedTarget(name: string, { wall, cpu, share }: Ratio, target: number, isBusy = false): BenchTarget {
  const isNear = wall > target / 1.2 && wall < target * 1.2
  const byCpu = isNear || (isBusy && share < 0.5)
  return benchTarget(`${name} (${byCpu ? 'CPU time' : 'messages/s'})`, byCpu ? cpu : wall, 'higher', target)
}

/** One line for the log. */
export function ratioText(name: string, { wall, cpu }: Ratio): string {
  return `${name}: ${wall.toFixed(2)} × by wall time, ${cpu.toFixed(2)} × by CPU time`
}

/** The digest of a round in which all was as it should be. */
export function readBackText(messages: number): string {
  return `${messages} read back as acknowledged`
}

/** A round whose digest says whether what was acknowledged is what was read back. */
export function readBackRound(round: Round, stored: string, messages: number): Round {
  const isRight = round.digest === stored && isComplete(stored, messages)
  return { ...round, digest: isRight ? readBackText(messages) : `acknowledged ${round.digest}; read ${stored}` }
}

/** Whether all rounds were. */
export function verdictOf(rounds: readonly Round[], digest: string): BenchRow['verdict'] {
  return rounds.every((round) => round.digest === digest) ? 'ok' : 'wrong'
}
