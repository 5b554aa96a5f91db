import { AwsError } from '../service'

/** The body of a call: JSON of unknown shape. */
export type Input = Readonly<Record<string, unknown>>

/** The error for bad input. */
export function validationError(message: string): AwsError {
  return new AwsError('ValidationException', message)
}

/** Refuses members that are not modelled: ignoring one would change what a rule does. */
export function refuseUnknown(where: string, input: Input, known: readonly string[]): void {
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined || value === null || known.includes(name)) continue
    throw validationError(
      `${where}: ${name} is not supported in this version of the local EventBridge (supported: ${known.join(', ')}).`,
    )
  }
}

/** A text member. */
export function textOf(input: Input, name: string): string | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw validationError(`${name} is not a text.`)
  return value
}

/** A text member that must be there and match. */
export function requiredText(input: Input, name: string, pattern: RegExp): string {
  const value = textOf(input, name)
  if (value === undefined)
    throw validationError(
      `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`,
    )
  if (!pattern.test(value)) {
    throw validationError(
      `1 validation error detected: Value '${value}' at '${name}' failed to satisfy constraint: Member must satisfy regular expression pattern: ${pattern.source}`,
    )
  }
  return value
}

/** A list member that must be there, of 1 to `max` entries. */
export function listOf(input: Input, name: string, max: number): readonly unknown[] {
  const value = input[name]
  if (!Array.isArray(value) || value.length < 1 || value.length > max)
    throw validationError(`${name} must be a list of 1 to ${max} entries.`)
  return value
}

/** One page of a list: `Limit` (default 100), `NextToken`. */
export function pageOf<T>(
  all: readonly T[],
  keyOf: (entry: T) => string,
  input: Input,
): { readonly page: readonly T[]; readonly NextToken?: string } {
  const limit = input['Limit'] ?? 100
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > 100)
    throw validationError('Limit is a whole number from 1 to 100.')
  const token = textOf(input, 'NextToken')
  const after = token === undefined ? '' : Buffer.from(token, 'base64url').toString('utf8')
  const rest = [...all].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).filter((entry) => keyOf(entry) > after)
  const page = rest.slice(0, limit)
  return page.length < rest.length ? { page, NextToken: Buffer.from(keyOf(page.at(-1)!)).toString('base64url') } : { page }
}
