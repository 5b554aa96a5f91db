import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PolicyAuthorizer } from './authorizer'

/**
 * Leaves every call that was authorised, with the policies at the end, as a file of JSON in the folder that `PIPE_IAM_CALLS` names; without the variable
 * nothing. So the calls of tests that start runtimes deep inside can be held against policies (`npm run grants`).
 */
export function recordCalls(authorizer: Pick<PolicyAuthorizer, 'calls' | 'policies'>): void {
  const folder = process.env['PIPE_IAM_CALLS']
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  const record = { policies: Object.fromEntries(authorizer.policies()), calls: authorizer.calls() }
  writeFileSync(join(folder, `${randomUUID()}.json`), JSON.stringify(record))
}
