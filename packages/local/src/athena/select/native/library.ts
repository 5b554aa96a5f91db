import * as dateTime from './date-time'
import { RuntimeError } from './failure'
import * as json from './json'
import { dateFormat, dateParse } from './mysql-format'
import { decimalText, javaNumberText, trinoNumberText, unscaledValue } from './number-text'
import * as regex from './regex'
import * as text from './text'
import { numberToDecimalText, toBoolean, toDecimalText, toDoubleText, toIntegerText } from './varchar-cast'
import { fromLocal, requireZone, toLocal } from './zone'

/** DuckDB types that a native function takes and gives. Times travel as microseconds in a BIGINT. */
export type NativeType = 'VARCHAR' | 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'BLOB' | 'VARCHAR[]'

/** A scalar function in JavaScript. NULL in any argument gives NULL without a call. */
export interface NativeFunction {
  readonly parameters: readonly NativeType[]
  readonly returns: NativeType
  // biome-ignore lint/suspicious/noExplicitAny: arguments are what `parameters` says; the registry converts them.
  call(...values: any[]): unknown
}

const one = (parameter: NativeType, returns: NativeType, call: NativeFunction['call']): NativeFunction => ({
  parameters: [parameter],
  returns,
  call,
})
const texts = (count: number, returns: NativeType, call: NativeFunction['call']): NativeFunction => ({
  parameters: Array<NativeType>(count).fill('VARCHAR'),
  returns,
  call,
})

/** All native functions, by their name in DuckDB. What they do exactly is Trino's; DuckDB's own functions differ in some case each. */
export const nativeFunctions: Readonly<Record<string, NativeFunction>> = {
  t_raise: texts(2, 'VARCHAR', (code: string, message: string) => {
    throw new RuntimeError(code, message)
  }),
  t_double_text: one('DOUBLE', 'VARCHAR', (value: number) => trinoNumberText(value)),
  t_real_text: one('DOUBLE', 'VARCHAR', (value: number) => trinoNumberText(value, true)),
  t_double_json: one('DOUBLE', 'VARCHAR', (value: number) => jsonNumber(javaNumberText(value))),
  t_real_json: one('DOUBLE', 'VARCHAR', (value: number) => jsonNumber(javaNumberText(value, true))),
  t_double_key: one('DOUBLE', 'VARCHAR', (value: number) => javaNumberText(value)),
  t_decimal_divide: {
    parameters: ['VARCHAR', 'VARCHAR', 'BIGINT', 'BIGINT'],
    returns: 'VARCHAR',
    call: divideDecimals,
  },
  t_to_boolean: one('VARCHAR', 'BOOLEAN', toBoolean),
  t_to_integer: texts(2, 'VARCHAR', toIntegerText),
  t_to_double: texts(2, 'VARCHAR', toDoubleText),
  t_to_decimal: {
    parameters: ['VARCHAR', 'BIGINT', 'BIGINT'],
    returns: 'VARCHAR',
    call: (value: string, precision: bigint, scale: bigint) => toDecimalText(value, Number(precision), Number(scale)),
  },
  t_number_to_decimal: {
    parameters: ['VARCHAR', 'BIGINT', 'BIGINT'],
    returns: 'VARCHAR',
    call: (value: string, precision: bigint, scale: bigint) => numberToDecimalText(value, Number(precision), Number(scale)),
  },
  t_to_day: one('VARCHAR', 'BIGINT', (value: string) => BigInt(dateTime.castToDay(value))),
  t_to_timestamp: {
    parameters: ['VARCHAR', 'BIGINT'],
    returns: 'BIGINT',
    call: (value: string, precision: bigint) => dateTime.castToTimestamp(value, Number(precision)),
  },
  t_to_instant: {
    parameters: ['VARCHAR', 'BIGINT'],
    returns: 'BIGINT',
    call: (value: string, precision: bigint) => dateTime.castToInstant(value, Number(precision)),
  },
  t_to_zone: one('VARCHAR', 'VARCHAR', dateTime.castToZone),
  t_zone: one('VARCHAR', 'VARCHAR', requireZone),
  t_local: { parameters: ['BIGINT', 'VARCHAR'], returns: 'BIGINT', call: toLocal },
  t_instant: { parameters: ['BIGINT', 'VARCHAR'], returns: 'BIGINT', call: fromLocal },
  t_timestamp_text: {
    parameters: ['BIGINT', 'BIGINT'],
    returns: 'VARCHAR',
    call: (micros: bigint, precision: bigint) => dateTime.timestampText(micros, Number(precision)),
  },
  t_round_micros: {
    parameters: ['BIGINT', 'BIGINT'],
    returns: 'BIGINT',
    call: (micros: bigint, precision: bigint) => dateTime.roundMicros(micros, Number(precision)),
  },
  t_iso_instant: one('VARCHAR', 'BIGINT', dateTime.isoInstant),
  t_iso_zone: one('VARCHAR', 'VARCHAR', dateTime.isoZone),
  t_iso_day: one('VARCHAR', 'BIGINT', (value: string) => BigInt(dateTime.isoDay(value))),
  t_date_format: { parameters: ['BIGINT', 'VARCHAR'], returns: 'VARCHAR', call: dateFormat },
  t_date_parse: texts(2, 'BIGINT', dateParse),
  t_json_parse: one('VARCHAR', 'VARCHAR', json.jsonParse),
  t_json_extract: texts(2, 'VARCHAR', json.jsonExtract),
  t_json_extract_scalar: texts(2, 'VARCHAR', json.jsonExtractScalar),
  t_json_size: texts(2, 'BIGINT', json.jsonSize),
  t_json_array_length: one('VARCHAR', 'BIGINT', json.jsonArrayLength),
  t_json_array_contains: texts(3, 'BOOLEAN', json.jsonArrayContains),
  t_is_json_scalar: one('VARCHAR', 'BOOLEAN', json.isJsonScalar),
  t_json_string: one('VARCHAR', 'VARCHAR', json.jsonString),
  t_json_elements: texts(2, 'VARCHAR[]', json.jsonElements),
  t_json_keys: texts(2, 'VARCHAR[]', json.jsonKeys),
  t_json_values: texts(2, 'VARCHAR[]', json.jsonValues),
  t_json_fields: texts(3, 'VARCHAR[]', json.jsonFields),
  t_json_scalar: {
    parameters: ['VARCHAR', 'VARCHAR', 'BIGINT'],
    returns: 'VARCHAR',
    call: (value: string, target: string, scale: bigint) => json.jsonScalar(value, target, Number(scale)),
  },
  t_regexp_like: texts(2, 'BOOLEAN', regex.regexpLike),
  t_regexp_extract: { parameters: ['VARCHAR', 'VARCHAR', 'BIGINT'], returns: 'VARCHAR', call: regex.regexpExtract },
  t_regexp_extract_all: { parameters: ['VARCHAR', 'VARCHAR', 'BIGINT'], returns: 'VARCHAR[]', call: regex.regexpExtractAll },
  t_regexp_replace: texts(3, 'VARCHAR', regex.regexpReplace),
  t_regexp_split: texts(2, 'VARCHAR[]', regex.regexpSplit),
  t_regexp_count: texts(2, 'BIGINT', regex.regexpCount),
  t_case: { parameters: ['VARCHAR', 'BOOLEAN'], returns: 'VARCHAR', call: text.changeCase },
  t_pad: {
    parameters: ['VARCHAR', 'BIGINT', 'VARCHAR', 'BOOLEAN'],
    returns: 'VARCHAR',
    call: text.pad,
  },
  t_split: { parameters: ['VARCHAR', 'VARCHAR', 'BIGINT'], returns: 'VARCHAR[]', call: text.split },
  t_split_part: { parameters: ['VARCHAR', 'VARCHAR', 'BIGINT'], returns: 'VARCHAR', call: text.splitPart },
  t_split_pairs: texts(3, 'VARCHAR[]', text.splitToPairs),
  t_from_utf8: one('BLOB', 'VARCHAR', text.fromUtf8),
  t_from_base64: one('VARCHAR', 'BLOB', text.fromBase64),
  t_from_hex: one('VARCHAR', 'BLOB', text.fromHex),
  t_digest: { parameters: ['VARCHAR', 'BLOB'], returns: 'BLOB', call: text.digest },
}

// Numbers that JSON has no form for are written as strings by Jackson.
function jsonNumber(value: string): string {
  return /[a-zA-Z]/.test(value.replace('E', '')) ? `"${value}"` : value
}

function divideDecimals(dividend: string, divisor: string, dividendScaleUp: bigint, scale: bigint): string {
  const by = unscaledValue(divisor)
  if (by === 0n) throw new RuntimeError('DIVISION_BY_ZERO', 'Division by zero')
  const scaled = unscaledValue(dividend) * 10n ** dividendScaleUp
  const negative = scaled < 0n !== by < 0n
  const [size, unit] = [scaled < 0n ? -scaled : scaled, by < 0n ? -by : by]
  // Half away from zero.
  const quotient = (2n * size + unit) / (2n * unit)
  return decimalText(negative ? -quotient : quotient, Number(scale))
}
