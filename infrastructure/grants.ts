// npm run grants: what the functions of the examples called while their tests ran, against what their policies grant. Exits with 1 for a grant that is missing
// and for one that nothing needs.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deployedExamples } from './check'
import { compareGrants, unseen } from './grants/compare'
import { callsUnder } from './grants/recordings'
import { readConfiguration } from './hcl/configuration'
import { readPolicy } from './lint/policy'

const root = process.cwd()
const rows: object[] = []
const problems: string[] = []
for (const example of deployedExamples(root)) {
  const folder = join(root, 'examples', example)
  const { resources } = await readConfiguration(join(folder, 'terraform'))
  for (const { values } of resources.filter(({ type }) => type === 'aws_lambda_function')) {
    const name = String(values['function_name'])
    const text = readFileSync(join(folder, 'policies', `${name}.json`), 'utf8')
    const calls = callsUnder(join(root, 'out', 'iam-calls', example), name, JSON.parse(text))
    if (calls === undefined) {
      problems.push(`${example}/${name}: no test ran it with the policy that it has now; npm run grants runs them.`)
      continue
    }
    const { used, granted, missing, unused } = compareGrants(readPolicy(text), calls, unseen[`${example}/${name}`])
    rows.push({
      function: `${example}/${name}`,
      'calls used': used,
      'actions granted': granted,
      missing: missing.length,
      unused: unused.length,
    })
    problems.push(...missing.map((call) => `${example}/${name}: ${call} is used and not granted.`))
    problems.push(...unused.map((grant) => `${example}/${name}: ${grant} is granted and never used.`))
  }
}
console.table(rows)
for (const [name, actions] of Object.entries(unseen)) {
  for (const [action, why] of Object.entries(actions)) console.log(`Not shown by tests: ${name}, ${action}: it ${why}.`)
}
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
else console.log('grants: used = granted')
