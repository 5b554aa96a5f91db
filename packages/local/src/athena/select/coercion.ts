import { arrayOf, mapOf, type RowField, type TrinoType, types, typeText } from './trino-type'

const integers = ['tinyint', 'smallint', 'integer', 'bigint'] as const

export function isInteger(type: TrinoType): boolean {
  return (integers as readonly string[]).includes(type.kind)
}

export function isNumeric(type: TrinoType): boolean {
  return isInteger(type) || type.kind === 'decimal' || type.kind === 'double' || type.kind === 'real'
}

/** Digits that an integer type can need, as Trino's coercion to decimal counts them. */
const integerDigits: Readonly<Record<string, number>> = { tinyint: 3, smallint: 5, integer: 10, bigint: 19 }

/** An integer type as the decimal that holds all of its values; a decimal as itself. */
export function asDecimal(
  type: TrinoType,
): { readonly kind: 'decimal'; readonly precision: number; readonly scale: number } | undefined {
  if (type.kind === 'decimal') return type
  const precision = integerDigits[type.kind]
  return precision === undefined ? undefined : { kind: 'decimal', precision, scale: 0 }
}

export function sameType(left: TrinoType, right: TrinoType): boolean {
  return typeText(left) === typeText(right)
}

/**
 * The type that both convert to without a cast, by Trino's rules; `undefined` when there is none (`varchar` and `integer`).
 */
export function commonType(left: TrinoType, right: TrinoType): TrinoType | undefined {
  if (left.kind === 'timestamptz' && right.kind === 'timestamptz') {
    return {
      kind: 'timestamptz',
      precision: Math.max(left.precision, right.precision),
      zone: left.zone === right.zone ? left.zone : undefined,
    }
  }
  if (sameType(left, right)) return left
  if (left.kind === 'unknown') return right
  if (right.kind === 'unknown') return left
  if (isNumeric(left) && isNumeric(right)) return commonNumber(left, right)
  if (left.kind === 'varchar' && right.kind === 'varchar') {
    return left.length === undefined || right.length === undefined
      ? types.varchar
      : { kind: 'varchar', length: Math.max(left.length, right.length) }
  }
  const temporal = commonTemporal(left, right) ?? commonTemporal(right, left)
  if (temporal !== undefined) return temporal
  if (left.kind === 'array' && right.kind === 'array') {
    const element = commonType(left.element, right.element)
    return element && arrayOf(element)
  }
  if (left.kind === 'map' && right.kind === 'map') {
    const key = commonType(left.key, right.key)
    const value = commonType(left.value, right.value)
    return key && value && mapOf(key, value)
  }
  if (left.kind === 'row' && right.kind === 'row' && left.fields.length === right.fields.length) {
    const fields: RowField[] = []
    for (const [index, field] of left.fields.entries()) {
      const other = right.fields[index] as RowField
      const type = commonType(field.type, other.type)
      if (type === undefined) return undefined
      fields.push({ name: field.name === other.name ? field.name : undefined, type })
    }
    return { kind: 'row', fields }
  }
  return undefined
}

function commonNumber(left: TrinoType, right: TrinoType): TrinoType {
  if (left.kind === 'double' || right.kind === 'double') return types.double
  if (left.kind === 'real' || right.kind === 'real') return types.real
  if (left.kind !== 'decimal' && right.kind !== 'decimal') {
    const rank = (type: TrinoType): number => integers.indexOf(type.kind as 'tinyint')
    return rank(left) >= rank(right) ? left : right
  }
  const a = asDecimal(left) as { precision: number; scale: number }
  const b = asDecimal(right) as { precision: number; scale: number }
  const scale = Math.max(a.scale, b.scale)
  const precision = Math.min(38, Math.max(a.precision - a.scale, b.precision - b.scale) + scale)
  return { kind: 'decimal', precision, scale }
}

function commonTemporal(left: TrinoType, right: TrinoType): TrinoType | undefined {
  if (left.kind === 'date' && right.kind === 'timestamp') return right
  if (left.kind === 'date' && right.kind === 'timestamptz') return { ...right, zone: undefined }
  if (left.kind === 'timestamp' && right.kind === 'timestamp') return left.precision >= right.precision ? left : right
  if (left.kind === 'timestamp' && right.kind === 'timestamptz') {
    return {
      kind: 'timestamptz',
      precision: Math.max(left.precision, right.precision),
      zone: right.zone === 'UTC' ? 'UTC' : undefined,
    }
  }
  return undefined
}

/** Whether `from` converts to `to` without a cast. */
export function coerces(from: TrinoType, to: TrinoType): boolean {
  const common = commonType(from, to)
  if (common === undefined) return false
  // Field names of rows do not matter for a conversion.
  return typeText(withoutNames(common)) === typeText(withoutNames(to))
}

function withoutNames(type: TrinoType): TrinoType {
  switch (type.kind) {
    case 'array':
      return arrayOf(withoutNames(type.element))
    case 'map':
      return mapOf(withoutNames(type.key), withoutNames(type.value))
    case 'row':
      return { kind: 'row', fields: type.fields.map((field) => ({ type: withoutNames(field.type) })) }
    default:
      return type
  }
}
