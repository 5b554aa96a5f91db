import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { PipeError } from '@pipe/core'
import type { CatalogChange } from './catalog-entry'

/** A file of changes, one JSON document a line, appended as they happen. */
export interface Journal {
  /** Changes found when the journal was opened, oldest first. */
  readonly changes: readonly CatalogChange[]
  /** Appends one change. Returns when the operating system has it; synchronous, so that order is the order of the calls. */
  append(change: CatalogChange): void
  /** Replaces the whole file by these changes (written beside it, then renamed over it). */
  rewrite(changes: readonly CatalogChange[]): void
}

/**
 * Opens or creates the journal. A last line without a newline was cut by a crash in the middle of a write: that change was never
 * acknowledged, so it is cut off.
 *
 * @throws {@link PipeError} `PIPE_LOCAL_CATALOG` when a complete line is not JSON: the file was changed by someone else.
 */
export function openJournal(file: string): Journal {
  mkdirSync(dirname(file), { recursive: true })
  const changes: CatalogChange[] = []
  if (existsSync(file)) {
    const content = readFileSync(file)
    const end = content.lastIndexOf(0x0a) + 1
    if (end < content.length) truncateSync(file, end)
    const lines = content.subarray(0, end).toString('utf8').split('\n')
    lines.pop()
    for (const [index, line] of lines.entries()) {
      try {
        changes.push(JSON.parse(line) as CatalogChange)
      } catch (cause) {
        throw new PipeError('PIPE_LOCAL_CATALOG', `${file} line ${index + 1} is not a change of the catalogue.`, {
          cause,
          hint: 'Restore the file, or start with another directory.',
        })
      }
    }
  }
  return {
    changes,
    append: (change) => appendFileSync(file, `${JSON.stringify(change)}\n`),
    rewrite(all) {
      const next = `${file}.next`
      writeFileSync(next, all.map((change) => `${JSON.stringify(change)}\n`).join(''))
      renameSync(next, file)
    },
  }
}
