import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * A folder of real recorded input for tests (`nab-cloudwatch`, `loghub`), which is not part of the repository: looked for below
 * `PIPE_SHARED_DATA`, else in `../shared/data` beside the checkout. `undefined` when it is not there: the test then skips itself
 * with {@link sharedDataMissing} in its title.
 */
export function sharedData(folder: string): string | undefined {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
  const base = process.env['PIPE_SHARED_DATA'] ?? join(root, '..', 'shared', 'data')
  const path = join(base, folder)
  return existsSync(path) ? path : undefined
}

/** Reason to put into the title of a skipped test. */
export const sharedDataMissing = '(skipped: real input is neither at PIPE_SHARED_DATA nor at ../shared/data)'
