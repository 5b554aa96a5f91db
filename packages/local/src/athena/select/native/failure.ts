/**
 * An error of a query that stands in the row data: thrown by a native function, or raised in SQL by casting its text to a number (unlike
 * `error()` that is not volatile, so DuckDB's TRY accepts it). Carried through DuckDB as text, {@link readRuntimeError} finds it again.
 */
export class RuntimeError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(runtimeErrorText(code, message))
    this.name = 'RuntimeError'
    this.code = code
  }
}

/** Code of what the local Athena refuses while a query runs. `TRY` does not forgive it: what Athena would give is not known. */
export const refusalCode = 'NOT_SUPPORTED_LOCALLY'

const open = '[[athena:'
const close = ':athena]]'

/** The text that carries code and message through DuckDB. */
export function runtimeErrorText(code: string, message: string): string {
  return `${open}${code}: ${message}${close}`
}

/** `CODE: message` out of an error text of DuckDB, when it was raised by us. */
export function readRuntimeError(text: string): string | undefined {
  const start = text.indexOf(open)
  const end = text.lastIndexOf(close)
  return start < 0 || end < start ? undefined : text.slice(start + open.length, end)
}

export function invalidCast(message: string): RuntimeError {
  return new RuntimeError('INVALID_CAST_ARGUMENT', message)
}

export function invalidArgument(message: string): RuntimeError {
  return new RuntimeError('INVALID_FUNCTION_ARGUMENT', message)
}
