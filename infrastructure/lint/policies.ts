import { readFile } from 'node:fs/promises'
import { basename, relative } from 'node:path'
import type { Configuration } from '../hcl/configuration'
import type { Finding } from './finding'
import { isKnownAction } from './known-actions'
import { readPolicy, type Statement } from './policy'

/** Actions that no resource can be named for. */
const withoutResource = /^ec2:/

/** The policies inside the Terraform files: no wildcard actions, no wildcard for everything, no invented actions. */
export function checkInlinePolicies({ resources }: Configuration): Finding[] {
  return resources.flatMap((resource) =>
    ['policy', 'assume_role_policy'].flatMap((attribute) => {
      const text = resource.values[attribute]
      if (typeof text !== 'string' || !text.startsWith('{')) return []
      return readPolicy(text).flatMap((statement) =>
        problemsOf(statement).map((problem) => ({
          place: resource.place(attribute),
          text: `${resource.key ?? resource.name}: ${problem}`,
        })),
      )
    }),
  )
}

/** The same for a policy that lies in a file of its own, named after its function. */
export async function checkPolicyFile(path: string): Promise<Finding[]> {
  const text = await readFile(path, 'utf8')
  const lines = text.split('\n')
  return readPolicy(text).flatMap((statement) =>
    problemsOf(statement).map((problem) => {
      const quoted = /"[^"]*"/.exec(problem)?.[0] ?? ''
      const line = lines.findIndex((one) => one.includes(quoted)) + 1
      return { place: `${relative(process.cwd(), path)}:${line}`, text: `${basename(path, '.json')}: ${problem}` }
    }),
  )
}

function problemsOf({ actions, resources }: Statement): string[] {
  return [
    ...actions.flatMap((action) => {
      if (/[*?]/.test(action)) return [`the action "${action}" allows more than one action.`]
      return isKnownAction(action) ? [] : [`"${action}" is no action that we know (infrastructure/lint/known-actions.ts).`]
    }),
    ...resources.flatMap((resource) => {
      if (resource === '*')
        return actions.every((action) => withoutResource.test(action)) ? [] : ['the resource "*" is everything.']
      return /^arn:aws:[^:]*:[^:]*:[^:]*:\*$/.test(resource) ? [`the resource "${resource}" is everything of a service.`] : []
    }),
  ]
}
