// npm run example -- kafka-to-s3: a topic stored in S3 exactly once, by workers that die.
import { playStory } from './story'

const { broken, workers, ...totals } = await playStory(2400, console.log)
console.table(totals)
if (broken.length > 0) {
  console.error(`The run is NOT in order:\n${broken.map((sentence) => `  - ${sentence}`).join('\n')}`)
  process.exitCode = 1
} else console.log(`Workers ended by ${workers.join(', ')}; nothing lost, nothing stored twice.`)
