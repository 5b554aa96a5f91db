// npm run bundle: one zip for each function of the examples in out/bundles/, and how large each one is.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deployedExamples } from './check'
import { bundle } from './function-zip'
import { readConfiguration } from './hcl/configuration'

/** What our code, and whatever it brings but the AWS SDK, may add to a zip. */
const maxOwnKb = 40
/** Functions that need more: they write Parquet or make logs of many forms; measured, and bounded where they are. */
const exceptions: Readonly<Record<string, number>> = { 'log-pipeline/log-compactor': 200, 'log-pipeline/log-generator': 56 }

const root = process.cwd()
const kb = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`
rmSync('out/bundles', { recursive: true, force: true })
const rows: Record<string, string>[] = []
for (const example of deployedExamples(root)) {
  const { resources } = await readConfiguration(join(root, 'examples', example, 'terraform'))
  mkdirSync(join('out', 'bundles', example), { recursive: true })
  for (const { values } of resources.filter(({ type }) => type === 'aws_lambda_function')) {
    const name = String(values['function_name'])
    const entry = join(root, 'examples', example, 'src', `${name}.ts`)
    const { zip, ownBytes } = await bundle(entry)
    writeFileSync(join('out', 'bundles', example, `${name}.zip`), zip)
    rows.push({ function: `${example}/${name}`, zip: kb(zip.length), 'beside the SDK': kb(ownBytes) })
    const allowed = (exceptions[`${example}/${name}`] ?? maxOwnKb) * 1024
    if (ownBytes <= allowed) continue
    console.error(`${example}/${name}: ${kb(ownBytes)} beside the AWS SDK, at most ${kb(allowed)} are allowed.`)
    process.exitCode = 1
  }
}
console.table(rows)
