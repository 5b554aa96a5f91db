import { reportConformance } from './report'

const wrong = await reportConformance((line) => console.log(line))
process.exitCode = wrong > 0 ? 1 : 0
