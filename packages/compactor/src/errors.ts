import { PipeError, type PipeErrorOptions } from '@pipe/core'

/**
 * A planned source vanished or was overwritten before it was read. The plan cannot be carried out any more: it is committed as `aborted`
 * and the window is planned afresh at the next sequence number. Code `PIPE_COMPACT_SOURCE_CHANGED`.
 */
export class SourceChangedError extends PipeError<{ readonly key: string; readonly planned: string; readonly found?: string }> {
  constructor(key: string, planned: string, found: string | undefined) {
    super(
      'PIPE_COMPACT_SOURCE_CHANGED',
      found === undefined
        ? `${key} is gone; the plan wants it with ETag ${planned}.`
        : `${key} has ETag ${found}; the plan wants ${planned}.`,
      { retryable: true, details: found === undefined ? { key, planned } : { key, planned, found } },
    )
    this.name = 'SourceChangedError'
  }
}

/**
 * Rows of output and quarantine do not add up to the rows of the inputs. The attempt is given up and nothing of it becomes visible. Code
 * `PIPE_COMPACT_VERIFY`.
 */
export class VerificationError extends PipeError<{
  readonly window: string
  readonly inputRows: number
  readonly outputRows: number
  readonly quarantinedRows: number
}> {
  constructor(window: string, rows: { inputRows: number; outputRows: number; quarantinedRows: number }, what: string) {
    super('PIPE_COMPACT_VERIFY', `Window ${window}: ${what}`, {
      hint: 'Nothing of this attempt is visible; the next run tries again with a fresh prefix.',
      retryable: true,
      details: { window, ...rows },
    })
    this.name = 'VerificationError'
  }
}

/** One or more windows of a run failed while the others went on. Code `PIPE_COMPACT_WINDOWS`; `cause` is the first failure. */
export class WindowsFailedError extends PipeError<{
  readonly windows: readonly string[]
  readonly succeeded: readonly string[]
}> {
  constructor(failures: readonly { readonly window: string; readonly error: unknown }[], succeeded: readonly string[]) {
    const first = failures[0]!
    const text = first.error instanceof Error ? first.error.message : String(first.error)
    const others =
      failures.length === 1
        ? ''
        : ` (and ${failures.length - 1} more: ${failures
            .slice(1)
            .map((f) => f.window)
            .join(', ')})`
    super('PIPE_COMPACT_WINDOWS', `Window ${first.window}${others} failed: ${text}`, {
      cause: first.error,
      retryable: failures.every(({ error }) => !PipeError.isInstance(error) || error.retryable),
      details: { windows: failures.map(({ window }) => window), succeeded },
    })
    this.name = 'WindowsFailedError'
  }
}

/** A state object of the compactor that cannot be understood. Code `PIPE_COMPACT_STATE`. */
export function stateError(key: string, what: string, options: PipeErrorOptions = {}): PipeError {
  return new PipeError('PIPE_COMPACT_STATE', `${key} ${what}.`, {
    hint: 'State objects are written once by the compactor and never edited; a newer version of @pipe/compactor may have written it.',
    ...options,
  })
}

/** Whether an error is a {@link SourceChangedError}, of whichever copy of the package. */
export function isSourceChanged(error: unknown): error is SourceChangedError {
  return PipeError.isInstance(error) && error.code === 'PIPE_COMPACT_SOURCE_CHANGED'
}

/** A statement failed because a table of the compaction does not exist: says how to make it. Other errors are given back as they are. */
export function explainMissingTable(error: unknown): unknown {
  if (!PipeError.isInstance(error) || error.code !== 'PIPE_ATHENA_NOT_FOUND') return error
  return new PipeError('PIPE_COMPACT_TABLES', error.message.replace(/^PIPE_\w+ /, ''), {
    hint: 'Run the statements of compactionDdl(compaction) once, at deployment, in the database of the Athena client.',
    cause: error,
  })
}
