import { type AthenaFailure, notSupportedLocally } from './query-engine'

/** The rule of a projected date column, as its table properties have it. */
export interface DateRule {
  readonly range: string
  /** Pattern of Java's DateTimeFormatter. */
  readonly format: string
  readonly interval: string | undefined
  readonly unit: string | undefined
}

type Unit = 'year' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second'

const nowPattern = /^\s*NOW\s*(?:([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?\s*)?$/

/**
 * The texts of all dates of a rule, in order and in UTC.
 *
 * @see Athena User Guide, "Supported types for partition projection", date type
 */
export function projectedDates(rule: DateRule, now: number, wrong: (reason: string) => AthenaFailure): readonly string[] {
  const format = dateFormat(rule.format)
  const bounds = rule.range.split(',')
  if (bounds.length !== 2) throw wrong(`the range ${rule.range} is not two dates`)
  const [from, to] = bounds.map((bound) => instantOf(bound, format, now, wrong)) as [number, number]
  const { count, unit } = stepOf(rule, format, wrong)
  const texts: string[] = []
  for (let step = 0; ; step++) {
    const at = plus(from, step * count, unit)
    if (at > to) return texts
    const text = format.print(at)
    // A step shorter than the format tells apart gives the same partition again.
    if (texts[texts.length - 1] !== text) texts.push(text)
  }
}

function stepOf(
  { interval, unit }: DateRule,
  format: DateFormat,
  wrong: (reason: string) => AthenaFailure,
): { count: number; unit: Unit } {
  if (interval !== undefined && !/^\s*[1-9]\d{0,8}\s*$/.test(interval))
    throw wrong(`the interval ${interval} is no positive number`)
  if (unit === undefined || interval === undefined) {
    if (format.precision !== 'day' && format.precision !== 'month') {
      throw wrong('interval and interval.unit are needed for dates that are not of a day or month each')
    }
  }
  const name = (unit ?? format.precision).trim().toLowerCase().replace(/s$/, '')
  if (!['year', 'month', 'week', 'day', 'hour', 'minute', 'second'].includes(name))
    throw notSupportedLocally(`the interval.unit ${unit}`)
  return { count: Number(interval ?? 1), unit: name as Unit }
}

function instantOf(bound: string, format: DateFormat, now: number, wrong: (reason: string) => AthenaFailure): number {
  const relative = nowPattern.exec(bound)
  if (!relative) return format.parse(bound) ?? fail(wrong(`the date ${bound} is not of the format`))
  const [, sign, count = '0', unit = 'DAY'] = relative
  return plus(now, Number(count) * (sign === '-' ? -1 : 1), unit.toLowerCase() as Unit)
}

function fail(error: Error): never {
  throw error
}

const lengths: Readonly<Partial<Record<Unit, number>>> = {
  week: 604_800_000,
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
}

function plus(at: number, count: number, unit: Unit): number {
  const length = lengths[unit]
  if (length !== undefined) return at + count * length
  const date = new Date(at)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + count * (unit === 'year' ? 12 : 1))
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, last))
  return date.getTime()
}

interface DateFormat {
  readonly precision: Unit
  print(at: number): string
  parse(text: string): number | undefined
}

const fields: Readonly<Record<string, { readonly unit: Unit; readonly from: number; readonly to: number }>> = {
  yyyy: { unit: 'year', from: 0, to: 4 },
  MM: { unit: 'month', from: 5, to: 7 },
  dd: { unit: 'day', from: 8, to: 10 },
  HH: { unit: 'hour', from: 11, to: 13 },
  mm: { unit: 'minute', from: 14, to: 16 },
  ss: { unit: 'second', from: 17, to: 19 },
}
const units: readonly Unit[] = ['year', 'month', 'day', 'hour', 'minute', 'second']

/** Fields of fixed width, in any order, and literals. @throws by name for every other letter of DateTimeFormatter. */
function dateFormat(pattern: string): DateFormat {
  const parts = pattern.match(/'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+|'/g) ?? []
  const items = parts.map((part) => {
    if (part.startsWith("'")) return { literal: part === "''" ? "'" : part.slice(1, -1).replaceAll("''", "'") }
    if (!/^[A-Za-z]/.test(part)) return { literal: part }
    const field = fields[part]
    if (!field) throw notSupportedLocally(`"${part}" in a date format of partition projection`)
    return { field }
  })
  const used = items.flatMap((item) => (item.field ? [item.field.unit] : []))
  if (!used.includes('year')) throw notSupportedLocally(`the date format ${pattern} without yyyy`)
  const precision = units[Math.max(...used.map((unit) => units.indexOf(unit)))] as Unit
  return {
    precision,
    print(at) {
      const iso = new Date(at).toISOString()
      return items.map((item) => (item.field ? iso.slice(item.field.from, item.field.to) : item.literal)).join('')
    },
    parse(text) {
      const iso = [...'0000-01-01T00:00:00.000Z']
      let at = 0
      for (const item of items) {
        const width = item.field ? item.field.to - item.field.from : (item.literal?.length ?? 0)
        const piece = text.slice(at, at + width)
        at += width
        if (!item.field) {
          if (piece !== item.literal) return undefined
        } else if (!/^\d+$/.test(piece) || piece.length !== width) return undefined
        else iso.splice(item.field.from, width, ...piece)
      }
      const date = new Date(iso.join(''))
      return at === text.length && !Number.isNaN(date.getTime()) ? date.getTime() : undefined
    },
  }
}
