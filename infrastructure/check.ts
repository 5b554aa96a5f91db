import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Configuration } from './hcl/configuration'
import { readConfiguration } from './hcl/configuration'
import { checkFunctions } from './lint/code'
import { checkEvents } from './lint/events'
import type { Finding } from './lint/finding'
import { checkInvocations } from './lint/invocations'
import { checkInlinePolicies, checkPolicyFile } from './lint/policies'

/** Examples that have a `terraform/` folder, by name. */
export function deployedExamples(root: string): string[] {
  return readdirSync(join(root, 'examples')).filter((name) => existsSync(join(root, 'examples', name, 'terraform')))
}

/** Everything that is wrong with one `terraform/` folder and with the policies of its functions. */
export async function checkFolder(
  folder: string,
): Promise<{ readonly configuration: Configuration; readonly findings: readonly Finding[] }> {
  const configuration = await readConfiguration(folder)
  const findings = [
    ...checkEvents(configuration),
    ...checkInvocations(configuration),
    ...checkInlinePolicies(configuration),
    ...(await checkFunctions(configuration)),
    ...(await policyFindings(configuration)),
  ]
  return { configuration, findings: distinct(findings) }
}

async function policyFindings({ folder, resources }: Configuration): Promise<Finding[]> {
  const functions = resources.filter(({ type }) => type === 'aws_lambda_function')
  const findings = functions.map(async (one) => {
    const name = String(one.values['function_name'])
    const path = join(folder, '..', 'policies', `${name}.json`)
    if (!existsSync(path))
      return [{ place: one.place('function_name'), text: `The function "${name}" has no policy policies/${name}.json.` }]
    return checkPolicyFile(path)
  })
  return (await Promise.all(findings)).flat()
}

/** Instances of one resource say the same thing more than once. */
function distinct(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [`${finding.place} ${finding.text}`, finding])).values()]
}
