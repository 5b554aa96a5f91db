// npm run example -- replay: a log that is read twice, and a group that is sent back.
import { playStory } from './story'

const { broken, ...totals } = await playStory(3000, console.log)
console.table(totals)
if (broken.length > 0) {
  console.error(`The run is NOT in order:\n${broken.map((sentence) => `  - ${sentence}`).join('\n')}`)
  process.exitCode = 1
} else console.log('Each group read everything once; the replay read again what its plan said; undo put the old offsets back.')
