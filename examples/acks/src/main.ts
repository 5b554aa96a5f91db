// npm run example -- acks [--timeline]: the same accident with acks 0, 1 and all.
import { killLeader, late, type Outcome } from './leader-kill'

const acks = { 'fire-and-forget': '0', leader: '1', quorum: 'all' } as const
const isShown = process.argv.includes('--timeline')
const outcomes: Outcome[] = []
for (const durability of ['fire-and-forget', 'leader', 'quorum'] as const) {
  console.log(`acks=${acks[durability]} (${durability}): the leader dies with ${late} messages that nobody has copied …`)
  outcomes.push(await killLeader(durability, (timeline) => isShown && console.log(timeline)))
}
console.table(outcomes)

const broken = outcomes.flatMap(({ durability, lost, doubled }) => {
  const expected = durability === 'quorum' ? 0 : late
  return [
    ...(lost === expected ? [] : [`${durability}: ${lost} messages were lost, not ${expected}`]),
    ...(doubled === 0 ? [] : [`${durability}: ${doubled} messages are there twice`]),
  ]
})
if (broken.length > 0) {
  console.error(`The run is NOT in order:\n${broken.map((sentence) => `  - ${sentence}`).join('\n')}`)
  process.exitCode = 1
} else {
  console.log(
    'acks 0 and 1: the client was told that all is well, and the log does not have it. acks all with min.insync.replicas 2: nothing is lost.',
  )
}
