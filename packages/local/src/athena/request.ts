import { AwsError } from '../service'

/** The body of a call: JSON of unknown shape. */
export type RequestBody = Readonly<Record<string, unknown>>

/** The error that Athena answers bad input with. */
export function invalidRequest(message: string, athenaErrorCode = 'INVALID_INPUT'): AwsError {
  return new AwsError('InvalidRequestException', message, 400, { AthenaErrorCode: athenaErrorCode })
}

const notMet = (member: string, value: unknown, constraint: string) =>
  invalidRequest(
    `1 validation error detected: Value '${typeof value === 'string' ? value.slice(0, 200) : JSON.stringify(value)}' at '${member}' failed to satisfy constraint: ${constraint}`,
  )

/** A text member; `undefined` when absent. */
export function optionalText(
  body: RequestBody,
  member: string,
  rule: { readonly min?: number; readonly max?: number; readonly pattern?: RegExp } = {},
): string | undefined {
  const value = body[member]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw notMet(member, value, 'Member must be a string')
  if (rule.min !== undefined && value.length < rule.min) {
    throw notMet(member, value, `Member must have length greater than or equal to ${rule.min}`)
  }
  if (rule.max !== undefined && value.length > rule.max) {
    throw notMet(member, value, `Member must have length less than or equal to ${rule.max}`)
  }
  if (rule.pattern && !rule.pattern.test(value)) {
    throw notMet(member, value, `Member must satisfy regular expression pattern: ${rule.pattern.source}`)
  }
  return value
}

/** A text member that must be there. */
export function requiredText(body: RequestBody, member: string, rule: Parameters<typeof optionalText>[2] = {}): string {
  const value = optionalText(body, member, rule)
  if (value === undefined || value === '') throw notMet(member, null, 'Member must not be null')
  return value
}

/** A whole number in a range; `undefined` when absent. */
export function optionalInteger(body: RequestBody, member: string, low: number, high: number): number | undefined {
  const value = body[member]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value)) throw notMet(member, value, 'Member must be an integer')
  if (value < low) throw notMet(member, value, `Member must have value greater than or equal to ${low}`)
  if (value > high) throw notMet(member, value, `Member must have value less than or equal to ${high}`)
  return value
}

/** A list of texts; `undefined` when absent. */
export function optionalTexts(body: RequestBody, member: string, max: number): readonly string[] | undefined {
  const value = body[member]
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value) || value.length === 0)
    throw notMet(member, value, 'Member must have length greater than or equal to 1')
  if (value.length > max) throw notMet(member, `${value.length} entries`, `Member must have length less than or equal to ${max}`)
  for (const entry of value) if (typeof entry !== 'string') throw notMet(member, value, 'Member must be a list of strings')
  return value as readonly string[]
}

/** A structure; empty when absent. */
export function structure(body: RequestBody, member: string): RequestBody {
  const value = body[member]
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw notMet(member, value, 'Member must be a structure')
  return value as RequestBody
}

/** Refuses settings that would change what a call does and are not modelled. */
export function refuseMembers(body: RequestBody, where: string, members: readonly string[]): void {
  for (const member of members) {
    if (body[member] !== undefined && body[member] !== null) {
      throw invalidRequest(
        `NOT_SUPPORTED_LOCALLY: ${where}.${member} is not known to behave as on Athena, so the local Athena refuses it.`,
      )
    }
  }
}

/** A page of a list by NextToken. Tokens are only good for the list they came from. */
export function pageOf<T>(
  entries: readonly T[],
  list: string,
  token: string | undefined,
  size: number,
): { page: readonly T[]; next: string | undefined } {
  const from = token === undefined ? 0 : tokenPosition(list, token)
  const end = from + size
  return { page: entries.slice(from, end), next: end < entries.length ? positionToken(list, end) : undefined }
}

/** A token that says where a page starts. */
export function positionToken(list: string, position: number): string {
  return Buffer.from(JSON.stringify([list, position])).toString('base64url')
}

/** The position of a token of this list. @throws InvalidRequestException for any other text. */
export function tokenPosition(list: string, token: string): number {
  try {
    const [name, position] = JSON.parse(Buffer.from(token, 'base64url').toString()) as [unknown, unknown]
    if (name === list && Number.isInteger(position) && (position as number) >= 0) return position as number
  } catch {
    // Not one of ours: same answer as for a token of another list.
  }
  throw invalidRequest('Invalid NextToken.')
}
