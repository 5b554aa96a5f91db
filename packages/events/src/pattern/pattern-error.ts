import { ConfigError } from '@pipe/core'
import { positionOf } from './json-source'

/** Where a pattern is wrong. In `details` of an error `PIPE_PATTERN`. */
export interface PatternErrorDetails {
  /** `detail.total[0].numeric`: fields with dots, places in lists from 0. */
  readonly path: string
  /** Line and column in the text of the pattern, from 1. For a pattern given as an object: in its `JSON.stringify`. */
  readonly line: number
  readonly column: number
  /** What EventBridge says of it. */
  readonly reason: string
}

/** A place in a pattern that is being read. */
export interface PatternPlace {
  readonly text: string
  readonly at: number
  readonly path: string
}

/** The error `PIPE_PATTERN`: `reason` is the text of EventBridge, `hint` ours. */
export function patternError({ text, at, path }: PatternPlace, reason: string, hint?: string): ConfigError {
  const details: PatternErrorDetails = { path, ...positionOf(text, at), reason }
  const where = `line ${details.line}, column ${details.column}${path === '' ? '' : ` (${path})`}`
  return new ConfigError(`Event pattern, ${where}: ${reason.replace(/[.]?$/, '.')}`, {
    code: 'PIPE_PATTERN',
    ...(hint === undefined ? {} : { hint }),
    details,
  })
}
