import { type BenchRow, type BenchTarget, benchTarget, median, type Round } from '../result'
import { isComplete } from './messages'

/** How often the other takes as long as ours, by wall time and by CPU time of the client. */
export interface Ratio {
  readonly wall: number
  readonly cpu: number
}

/** The ratio of the medians of interleaved rounds that did the same work. */
export function ratioOf(other: readonly Round[], ours: readonly Round[]): Ratio {
  const of = (what: 'ms' | 'cpuMs') => median(other.map((round) => round[what])) / median(ours.map((round) => round[what]))
  return { wall: of('ms'), cpu: of('cpuMs') }
}

/**
 * A target for speed. Wall time decides, unless it comes within a factor of 1.2 of the target: then CPU time does, which other work on the
 * machine disturbs less.
 */
export function speedTarget(name: string, { wall, cpu }: Ratio, target: number): BenchTarget {
  const isNear = wall > target / 1.2 && wall < target * 1.2
  return benchTarget(`${name} (${isNear ? 'CPU time' : 'messages/s'})`, isNear ? cpu : wall, 'higher', target)
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
