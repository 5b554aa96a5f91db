import { median, type Round } from '../result'

/** Measures two ways in turns in this process, so that a slow moment of the machine hits both. The first turns are not counted. */
export async function pairedRounds(
  ours: () => Promise<string>,
  peer: () => Promise<string>,
  rounds: number,
): Promise<{ readonly ours: Round[]; readonly peer: Round[]; readonly ratio: number }> {
  const measured = { ours: [] as Round[], peer: [] as Round[] }
  for (let round = -2; round < rounds; round++) {
    // Who begins pays for what the other left behind: they take turns.
    const order = round % 2 === 0 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const)
    for (const name of order) {
      const result = await once(name === 'ours' ? ours : peer)
      if (round >= 0) measured[name].push(result)
    }
  }
  return { ...measured, ratio: median(measured.ours.map(({ cpuMs }, i) => cpuMs / measured.peer[i]!.cpuMs)) }
}

async function once(work: () => Promise<string>): Promise<Round> {
  gc!()
  const before = process.cpuUsage()
  const started = performance.now()
  const digest = await work()
  const ms = performance.now() - started
  const { user, system } = process.cpuUsage(before)
  return { ms, cpuMs: (user + system) / 1000, peakRssMb: process.memoryUsage().rss / 2 ** 20, digest }
}
