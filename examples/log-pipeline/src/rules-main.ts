// npm run example -- log-pipeline-rules: the rules of the bucket, planned, simulated, priced, applied and then lived through on the clock of the local runtime.
import { playRules } from './rules-play'

const { problems } = await playRules((line) => console.log(line))
for (const problem of problems) console.error(`WRONG: ${problem}`)
process.exitCode = problems.length === 0 ? 0 : 1
