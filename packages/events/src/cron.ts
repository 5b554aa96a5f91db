import {
  dayOfMonthRule,
  dayOfWeekRule,
  type FieldText,
  fieldError,
  hourRule,
  minuteRule,
  monthRule,
  parseList,
  parseValue,
  yearRule,
} from './cron-field'
import { scheduleError } from './schedule-error'

/** Which days of a month a cron expression means. Days of the week count from 0 = Sunday here. */
export type CronDays =
  | { readonly kind: 'days'; readonly days: readonly number[] }
  | { readonly kind: 'last-day' }
  | { readonly kind: 'nearest-weekday'; readonly day: number }
  | { readonly kind: 'weekdays'; readonly weekdays: readonly number[] }
  | { readonly kind: 'last-weekday'; readonly weekday: number }
  | { readonly kind: 'nth-weekday'; readonly weekday: number; readonly nth: number }

/** A parsed `cron(…)`: every list ascending; UTC. */
export interface Cron {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly days: CronDays
  readonly months: readonly number[]
  readonly years: readonly number[]
}

const order = 'minutes, hours, day of month, month, day of week, year'

/**
 * Reads `cron(minutes hours day-of-month month day-of-week year)`.
 *
 * @throws ConfigError `PIPE_SCHEDULE` with the column of the mistake.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html
 */
export function parseCron(expression: string): Cron {
  const open = 'cron('.length
  const fields: FieldText[] = []
  for (const match of expression.slice(open, -1).matchAll(/\S+/g)) {
    fields.push({ text: match[0], offset: open + match.index, expression })
  }
  if (fields.length !== 6) {
    const hint = `The fields are ${order}: cron(0/5 * * * ? *) runs every five minutes.`
    throw scheduleError(expression, fields[6]?.offset ?? open, `a cron has 6 fields, here are ${fields.length}.`, hint)
  }
  const [minute, hour, dayOfMonth, month, dayOfWeek, year] = fields as [
    FieldText,
    FieldText,
    FieldText,
    FieldText,
    FieldText,
    FieldText,
  ]
  if ((dayOfMonth.text === '?') === (dayOfWeek.text === '?')) {
    const hint = 'Put ? into the one that should not restrict the day.'
    throw fieldError(dayOfMonth, 0, 'exactly one of day of month and day of week must be "?".', hint)
  }
  return {
    minutes: parseList(minute, minuteRule),
    hours: parseList(hour, hourRule),
    days: dayOfMonth.text === '?' ? parseDayOfWeek(dayOfWeek) : parseDayOfMonth(dayOfMonth),
    months: parseList(month, monthRule),
    years: parseList(year, yearRule),
  }
}

function parseDayOfMonth(field: FieldText): CronDays {
  if (field.text === 'L') return { kind: 'last-day' }
  const weekday = /^(\d+)W$/.exec(field.text)
  if (weekday) return { kind: 'nearest-weekday', day: parseValue(field, dayOfMonthRule, weekday[1]!, 0) }
  const special = field.text.search(/[LW#?]/)
  if (special >= 0) {
    const problem = `"${field.text}" is not a day of month.`
    throw fieldError(field, special, problem, 'L and a form like 3W stand alone, # belongs into the day of week.')
  }
  return { kind: 'days', days: parseList(field, dayOfMonthRule) }
}

function parseDayOfWeek(field: FieldText): CronDays {
  if (field.text === 'L') return { kind: 'weekdays', weekdays: [6] }
  const last = /^([^,\-/#?*]+)L$/.exec(field.text)
  if (last) return { kind: 'last-weekday', weekday: parseValue(field, dayOfWeekRule, last[1]!, 0) - 1 }
  const nth = /^([^,\-/#?*]+)#(\d+)$/.exec(field.text)
  if (nth) {
    const count = Number(nth[2])
    if (count < 1 || count > 5) {
      throw fieldError(field, nth[1]!.length + 1, `no month has a ${count}th week.`, 'After # comes 1 to 5.')
    }
    return { kind: 'nth-weekday', weekday: parseValue(field, dayOfWeekRule, nth[1]!, 0) - 1, nth: count }
  }
  // JUL, WED and the like hold the letters too, so only what cannot be a name counts here.
  const special = field.text.search(/[#?]|(?<![A-Z])[LW](?![A-Z])/)
  if (special >= 0) {
    const problem = `"${field.text}" is not a day of week.`
    throw fieldError(field, special, problem, 'Forms like 6L and 3#2 stand alone: one a field. W belongs into the day of month.')
  }
  return { kind: 'weekdays', weekdays: parseList(field, dayOfWeekRule).map((day) => day - 1) }
}

const dayMs = 86_400_000

/** Instants of a cron strictly after `after`, ascending. Ends with the year 2199. */
export function* cronAfter(cron: Cron, after: number): Generator<number> {
  const firstYear = new Date(after).getUTCFullYear()
  for (const year of cron.years) {
    if (year < firstYear) continue
    for (const month of cron.months) {
      if (Date.UTC(year, month, 1) <= after) continue // the first of the next month: `month` counts from 1
      for (const day of daysIn(cron.days, year, month)) {
        const midnight = Date.UTC(year, month - 1, day)
        if (midnight + dayMs <= after) continue
        for (const hour of cron.hours) {
          for (const minute of cron.minutes) {
            const at = midnight + hour * 3_600_000 + minute * 60_000
            if (at > after) yield at
          }
        }
      }
    }
  }
}

/** Instants of a cron not later than `until`, descending. Ends with the year 1970. */
export function* cronUntil(cron: Cron, until: number): Generator<number> {
  for (const year of [...cron.years].reverse()) {
    if (Date.UTC(year, 0, 1) > until) continue
    for (const month of [...cron.months].reverse()) {
      if (Date.UTC(year, month - 1, 1) > until) continue
      for (const day of daysIn(cron.days, year, month).reverse()) {
        const midnight = Date.UTC(year, month - 1, day)
        if (midnight > until) continue
        for (const hour of [...cron.hours].reverse()) {
          for (const minute of [...cron.minutes].reverse()) {
            const at = midnight + hour * 3_600_000 + minute * 60_000
            if (at <= until) yield at
          }
        }
      }
    }
  }
}

/** The days of one month (1 to 12) that match, ascending. */
function daysIn(spec: CronDays, year: number, month: number): number[] {
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate()
  const weekdayOf = (day: number) => new Date(Date.UTC(year, month - 1, day)).getUTCDay()
  const all = Array.from({ length }, (_, i) => i + 1)
  switch (spec.kind) {
    case 'days':
      return spec.days.filter((day) => day <= length)
    case 'last-day':
      return [length]
    case 'nearest-weekday': {
      // The nearest weekday stays inside the month: 1W on a Saturday is Monday the 3rd. A month without that day has no run.
      if (spec.day > length) return []
      const weekday = weekdayOf(spec.day)
      if (weekday === 6) return [spec.day === 1 ? 3 : spec.day - 1]
      if (weekday === 0) return [spec.day === length ? spec.day - 2 : spec.day + 1]
      return [spec.day]
    }
    case 'weekdays':
      return all.filter((day) => spec.weekdays.includes(weekdayOf(day)))
    case 'last-weekday':
      return all.filter((day) => day > length - 7 && weekdayOf(day) === spec.weekday)
    case 'nth-weekday':
      return all.filter((day) => Math.ceil(day / 7) === spec.nth && weekdayOf(day) === spec.weekday)
  }
}
