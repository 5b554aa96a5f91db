import { hiveString, type IdentifierDialect } from '@pipe/core'

/** A value that has a SQL literal. */
export type LiteralValue = string | number | bigint | boolean | null | Date | Uint8Array | readonly LiteralValue[]

/** Why a value cannot become a literal, as the rest of a sentence. */
export interface LiteralProblem {
  readonly text: string
  readonly hint?: string
}

const maxBigint = 2n ** 63n - 1n
// "The maximum number of arguments of an array constructor is 254" (Athena user guide, considerations for SQL queries).
const maxArrayArguments = 254

/** Why a value cannot become a literal of a query; `undefined` when it can. */
export function refuseLiteral(value: unknown): LiteralProblem | undefined {
  switch (typeof value) {
    case 'string':
      return /\p{Surrogate}/u.test(value) // with the flag u, only halves without a partner match
        ? {
            text: 'is a string with half a surrogate pair, which no UTF-8 statement can hold',
            hint: 'Clean it: text.toWellFormed().',
          }
        : undefined
    case 'number':
    case 'boolean':
      return undefined
    case 'bigint':
      return (value < 0n ? -value : value) < 10n ** 38n ? undefined : { text: 'is a bigint of more than 38 digits' }
    case 'undefined':
      return { text: 'is undefined', hint: 'Use null for NULL.' }
    case 'object':
      return refuseObject(value)
    default:
      return { text: `is a ${typeof value}, which has no SQL literal` }
  }
}

function refuseObject(value: object | null): LiteralProblem | undefined {
  if (value === null || value instanceof Uint8Array) return undefined
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) return { text: 'is an invalid Date' }
    const year = value.getUTCFullYear()
    return year >= 1 && year <= 9999 ? undefined : { text: `is a Date of the year ${year}: a literal holds the years 1 to 9999` }
  }
  if (Array.isArray(value)) {
    for (const [i, element] of value.entries()) {
      const problem = refuseLiteral(element)
      if (problem) return { ...problem, text: `holds at [${i}] a value that ${problem.text}` }
    }
    return undefined
  }
  const name = Object.getPrototypeOf(value)?.constructor?.name ?? 'object'
  return {
    text: `is a ${name === 'Object' ? 'plain object' : name}, which has no SQL literal`,
    hint: 'Use a string, number, bigint, boolean, null, Date, Uint8Array, an array of these, a table contract, or a fragment of sql`…`.',
  }
}

/**
 * The literal of a value. `refuse` is called, and must throw, for a value that the dialect has no literal for.
 *
 * Trino: a backslash is plain, quotes are doubled. Hive: backslash escapes.
 */
export function literal(value: LiteralValue, dialect: IdentifierDialect, refuse: (problem: LiteralProblem) => never): string {
  const problem = refuseLiteral(value)
  if (problem) refuse(problem)
  return dialect === 'trino' ? trinoLiteral(value) : hiveLiteral(value, refuse)
}

function trinoLiteral(value: LiteralValue): string {
  switch (typeof value) {
    case 'string':
      return trinoString(value)
    case 'number':
      return trinoNumber(value)
    case 'bigint':
      return trinoBigint(value)
    case 'boolean':
      return String(value)
    default:
      if (value === null) return 'NULL'
      if (value instanceof Date) return `TIMESTAMP '${timestampText(value)}'`
      if (value instanceof Uint8Array)
        return `X'${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}'`
      return trinoArray(value)
  }
}

/**
 * `'…'` with doubled quotes. Every other character stands as it is, line breaks, backslashes and control characters too: Trino's string
 * literal is everything up to the next single quote (SqlBase.g4, STRING).
 */
function trinoString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function trinoNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan()'
  if (value === Number.POSITIVE_INFINITY) return 'infinity()'
  if (value === Number.NEGATIVE_INFINITY) return '-infinity()'
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value)
  // "0.5" is a DECIMAL in Trino; only the exponent makes a DOUBLE, with all digits kept.
  const [digits, exponent = '0'] = (Object.is(value, -0) ? '-0' : String(value)).split('e')
  return `${digits}E${exponent.replace('+', '')}`
}

function trinoBigint(value: bigint): string {
  if (value >= -maxBigint && value <= maxBigint) return String(value)
  // The digits of the smallest bigint alone are too large for the unsigned literal behind the minus sign.
  return value === -maxBigint - 1n ? `BIGINT '${value}'` : `DECIMAL '${value}'`
}

function trinoArray(values: readonly LiteralValue[]): string {
  if (values.length <= maxArrayArguments) return `ARRAY[${values.map(trinoLiteral).join(', ')}]`
  const chunks: string[] = []
  for (let i = 0; i < values.length; i += maxArrayArguments) chunks.push(trinoArray(values.slice(i, i + maxArrayArguments)))
  return `(${chunks.join(' || ')})`
}

/** `2026-11-24 15:31:00.000`, UTC. */
export function timestampText(at: Date): string {
  return at.toISOString().replace('T', ' ').slice(0, 23)
}

function hiveLiteral(value: LiteralValue, refuse: (problem: LiteralProblem) => never): string {
  if (typeof value === 'string') {
    if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(value)) {
      return refuse({ text: 'holds a control character, which Athena DDL cannot spell' })
    }
    return hiveString(value)
  }
  if (typeof value === 'number') {
    return Number.isFinite(value) ? String(value) : refuse({ text: `is ${value}, which Athena DDL cannot spell` })
  }
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (value === null) return 'NULL'
  return refuse({
    text: `is a ${value instanceof Date ? 'Date' : value instanceof Uint8Array ? 'Uint8Array' : 'array'}, which Athena DDL cannot spell`,
    hint: 'Give it as text.',
  })
}
