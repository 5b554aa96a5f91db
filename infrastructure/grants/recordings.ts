import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { RecordedCall } from './compare'

interface Recording {
  readonly policies: Readonly<Record<string, unknown>>
  readonly calls: readonly RecordedCall[]
}

/**
 * Calls that a function made in the runs in which it had this very policy at the end: runs with another policy say nothing about it.
 *
 * @param folder Where the runtimes left them: `PIPE_IAM_CALLS`.
 * @returns `undefined` when there is no such run.
 */
export function callsUnder(folder: string, principal: string, policy: unknown): readonly RecordedCall[] | undefined {
  if (!existsSync(folder)) return undefined
  const recordings = readdirSync(folder)
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Recording)
    .filter(({ policies }) => isDeepStrictEqual(policies[principal], policy))
  return recordings.length === 0
    ? undefined
    : recordings.flatMap(({ calls }) => calls.filter((call) => call.principal === principal))
}
