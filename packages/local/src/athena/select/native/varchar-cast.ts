import { invalidCast, RuntimeError } from './failure'
import { roundDecimalText } from './number-text'

/** CAST(varchar AS boolean): `true`, `t`, `1`, `false`, `f`, `0` in any case. */
export function toBoolean(text: string): boolean {
  if (/^(?:true|t|1)$/i.test(text)) return true
  if (/^(?:false|f|0)$/i.test(text)) return false
  throw invalidCast(`Cannot cast '${text}' to BOOLEAN`)
}

const typeNames: Readonly<Record<string, string>> = { integer: 'INT' }

// String.trim of Java: all characters up to the space.
function javaTrim(text: string): string {
  return text.replace(/^[\u0000- ]+|[\u0000- ]+$/g, '')
}

const limits: Readonly<Record<string, bigint>> = { tinyint: 1n << 7n, smallint: 1n << 15n, integer: 1n << 31n, bigint: 1n << 63n }

/** CAST(varchar AS integer types): digits with a sign, nothing else (`1.5` and `1e3` fail). */
export function toIntegerText(text: string, target: string): string {
  const trimmed = javaTrim(text)
  if (/^[+-]?[0-9]{1,40}$/.test(trimmed)) {
    const value = BigInt(trimmed.startsWith('+') ? trimmed.slice(1) : trimmed)
    const limit = limits[target] as bigint
    if (value >= -limit && value < limit) return value.toString()
  }
  throw invalidCast(`Cannot cast '${text}' to ${typeNames[target] ?? target.toUpperCase()}`)
}

/** CAST(varchar AS double or real): Java's syntax (`1.5`, `.5`, `1e3`, `1d`, `NaN`, `Infinity`), as text that DuckDB reads. */
export function toDoubleText(text: string, target: string): string {
  const match = /^([+-]?)(?:(NaN)|(Infinity)|((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[fFdD]?)$/.exec(javaTrim(text))
  if (match === null) throw invalidCast(`Cannot cast '${text}' to ${target.toUpperCase()}`)
  if (match[2] !== undefined) return 'nan'
  if (match[3] !== undefined) return `${match[1]}inf`
  const value = Number(match[4])
  if (target === 'double') return Number.isFinite(value) ? `${match[1]}${value}` : `${match[1]}inf`
  return Number.isFinite(Math.fround(value)) ? `${match[1]}${match[4]}` : `${match[1]}inf`
}

/** CAST(varchar AS decimal(p, s)): rounded half up to the scale. */
export function toDecimalText(text: string, precision: number, scale: number): string {
  const rounded = roundDecimalText(text, scale)
  if (rounded === undefined || rounded.replace(/[-.]/g, '').replace(/^0+/, '').length > precision) {
    throw invalidCast(`Cannot cast VARCHAR '${text}' to DECIMAL(${precision}, ${scale}). Value is not a number or too large.`)
  }
  return rounded
}

/** The text of a number as a decimal, rounded half away from zero. */
export function numberToDecimalText(text: string, precision: number, scale: number): string {
  const rounded = roundDecimalText(text, scale)
  if (rounded === undefined) throw invalidCast(`Cannot cast '${text}' to DECIMAL(${precision}, ${scale})`)
  if (rounded.replaceAll(/[-.]/g, '').replace(/^0+/, '').length <= precision) return rounded
  throw new RuntimeError('NUMERIC_VALUE_OUT_OF_RANGE', `Cannot cast '${text}' to DECIMAL(${precision}, ${scale})`)
}
