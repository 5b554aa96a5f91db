import { minutes, run } from './run'

const rows = await run((minute) => process.stdout.write(`\rminute ${minute}/${minutes}`))
console.log('\n')
for (const { device, readings, mean } of rows) console.log(`${device}  ${readings} readings, mean ${mean.toFixed(2)}`)
