import { AwsError } from '../service'
import type { MessageAttribute } from './message'

/** The body of a call: JSON of unknown shape. */
export type Input = Readonly<Record<string, unknown>>

/** Refuses members that are not modelled. */
export function refuseUnknown(where: string, input: Input, known: readonly string[]): void {
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined || value === null || known.includes(name)) continue
    throw new AwsError(
      'InvalidParameterValue',
      `${where}: ${name} is not supported by the local SQS (supported: ${known.join(', ')}).`,
    )
  }
}

/** A text member that must be there. */
export function requiredText(input: Input, name: string): string {
  const value = input[name]
  if (typeof value === 'string' && value !== '') return value
  throw new AwsError('MissingParameter', `The request must contain the parameter ${name}.`)
}

/** A text member. */
export function optionalText(input: Input, name: string): string | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  throw new AwsError('InvalidParameterValue', `${name} is not a text.`)
}

/** A whole number within bounds; `undefined` when absent. */
export function optionalNumber(input: Input, name: string, min: number, max: number): number | undefined {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  const message = `Value ${JSON.stringify(value)} for parameter ${name} is invalid. Reason: Must be between ${min} and ${max}, if provided.`
  throw new AwsError('InvalidParameterValue', message)
}

/** Names of attributes asked for; `All` for all. */
export function namesOf(input: Input, ...members: readonly string[]): ReadonlySet<string> {
  return new Set(members.flatMap((member) => (Array.isArray(input[member]) ? (input[member] as string[]) : [])))
}

/** The user attributes of a message. @throws AwsError for a wrong name, type or value. */
export function messageAttributes(input: Input): Readonly<Record<string, MessageAttribute>> {
  const given = (input['MessageAttributes'] ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>
  const entries = Object.entries(given)
  if (entries.length > 10)
    throw new AwsError('InvalidParameterValue', 'Number of message attributes [11] exceeds the allowed maximum [10].')
  for (const [name, { DataType, StringValue, BinaryValue }] of entries) {
    const isNamed = /^(?!AWS\.|Amazon\.)[A-Za-z0-9_.-]{1,256}$/.test(name)
    const hasType = typeof DataType === 'string' && /^(String|Number|Binary)(\.|$)/.test(DataType)
    const value = String(DataType).startsWith('Binary') ? BinaryValue : StringValue
    if (!isNamed || !hasType || typeof value !== 'string' || value === '') {
      throw new AwsError('InvalidParameterValue', `The message attribute '${name}' with type '${String(DataType)}' is not valid.`)
    }
  }
  return given as unknown as Readonly<Record<string, MessageAttribute>>
}

/** The entries of a batch: 1 to 10, with different ids. @throws AwsError as SQS does. */
export function batchEntries(input: Input): readonly Input[] {
  const entries = input['Entries']
  if (!Array.isArray(entries) || entries.length === 0) {
    throw new AwsError('EmptyBatchRequest', 'There should be at least one entry in the request.')
  }
  if (entries.length > 10) {
    throw new AwsError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are 10. You have sent ${entries.length}.`,
    )
  }
  const ids = new Set<string>()
  for (const { Id } of entries as Input[]) {
    if (typeof Id !== 'string' || !/^[A-Za-z0-9_-]{1,80}$/.test(Id)) {
      throw new AwsError(
        'InvalidBatchEntryId',
        'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
      )
    }
    if (ids.has(Id)) throw new AwsError('BatchEntryIdsNotDistinct', `Id ${Id} repeated.`)
    ids.add(Id)
  }
  return entries as Input[]
}
