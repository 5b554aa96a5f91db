// npm run terraform: every .tf file is parsed and held against our rules and the code; where terraform and its provider are present, planned too.
import { join } from 'node:path'
import { tableStatements } from '../examples/log-pipeline/src/table-statements'
import { checkFolder, deployedExamples } from './check'
import { checkTables } from './lint/tables'
import { plan, providerFolder } from './plan'

const root = process.cwd()
const examples = deployedExamples(root)
const tables: Readonly<Record<string, readonly string[]>> = {
  'log-pipeline': tableStatements({ window: '5 minutes', grace: '1 minute' }),
}

let failed = 0
const report = (texts: readonly string[]) => {
  failed += texts.length
  for (const text of texts) console.error(text)
}
for (const name of examples) {
  const { configuration, findings } = await checkFolder(join(root, 'examples', name, 'terraform'))
  const all = [...findings, ...checkTables(configuration, tables[name] ?? [])]
  report(all.map(({ place, text }) => `${place} ${text}`))
  console.log(`${name}: ${configuration.resources.length} resources read, ${all.length} findings`)
}
const providers = providerFolder()
if (providers === undefined) console.log('Not planned: terraform or the provider hashicorp/aws is not on this machine.')
else {
  const plans = await Promise.all(
    examples.map(async (name) => [name, await plan(join(root, 'examples', name, 'terraform'), providers)] as const),
  )
  for (const [name, { problem, summary }] of plans) {
    if (problem === undefined) console.log(`${name}: terraform validates and plans it offline: ${summary}`)
    else report([`${name}: terraform says:\n${problem}`])
  }
}
if (failed > 0) process.exitCode = 1
else console.log('terraform: ok')
