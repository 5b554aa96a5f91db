// npm run example -- fan-out: one order, three services, two of them down for a while.
import { playStory } from './story'

const { broken, ...totals } = await playStory(200, console.log)
console.table(totals)
if (broken.length > 0) {
  console.error(`The run is NOT in order:\n${broken.map((sentence) => `  - ${sentence}`).join('\n')}`)
  process.exitCode = 1
} else
  console.log('Every order was invoiced and paid once, every big one reported once; nothing was lost while services were down.')
