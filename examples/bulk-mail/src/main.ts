// npm run example -- bulk-mail: a queue of users, a mail server that fails, and no mail twice.
import { playStory } from './story'

const { broken, ...totals } = await playStory(300, console.log)
console.table(totals)
if (broken.length > 0) {
  console.error(`The run is NOT in order:\n${broken.map((sentence) => `  - ${sentence}`).join('\n')}`)
  process.exitCode = 1
} else
  console.log(
    'Every user that exists got one mail; those whose end nobody knows are listed, the message that was none lies in the dead-letter queue.',
  )
