import { scheduleError } from './schedule-error'

/** One of the six fields, with its place in the whole expression (`offset` counts from 0). */
export interface FieldText {
  readonly text: string
  readonly offset: number
  readonly expression: string
}

/** What a field may hold. */
export interface FieldRule {
  readonly name: string
  readonly min: number
  readonly max: number
  /** Names that stand for numbers: `JAN` = `min`, `FEB` = `min + 1` … */
  readonly names?: readonly string[]
  /** Whether `/` is allowed; AWS does not list it for the day of the week. */
  readonly steps: boolean
}

export const minuteRule: FieldRule = { name: 'minutes', min: 0, max: 59, steps: true }
export const hourRule: FieldRule = { name: 'hours', min: 0, max: 23, steps: true }
export const dayOfMonthRule: FieldRule = { name: 'day of month', min: 1, max: 31, steps: true }
export const monthRule: FieldRule = {
  name: 'month',
  min: 1,
  max: 12,
  names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  steps: true,
}
/** 1 is Sunday. */
export const dayOfWeekRule: FieldRule = {
  name: 'day of week',
  min: 1,
  max: 7,
  names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
  steps: false,
}
export const yearRule: FieldRule = { name: 'year', min: 1970, max: 2199, steps: true }

/** Error at a place inside a field. */
export function fieldError(field: FieldText, at: number, problem: string, hint: string): Error {
  return scheduleError(field.expression, field.offset + at, problem, hint)
}

/**
 * The values of a field that is a list of `*`, `a`, `a-b`, each with `/step` where the field allows it; ascending, without repeats.
 *
 * @throws ConfigError `PIPE_SCHEDULE` with the column of the mistake.
 */
export function parseList(field: FieldText, rule: FieldRule): readonly number[] {
  const values = new Set<number>()
  let at = 0
  for (const item of field.text.split(',')) {
    for (const value of parseItem(field, rule, item, at)) values.add(value)
    at += item.length + 1
  }
  return [...values].sort((a, b) => a - b)
}

function parseItem(field: FieldText, rule: FieldRule, item: string, at: number): number[] {
  if (item === '') throw fieldError(field, at, `an empty entry in the field "${rule.name}".`, 'Remove the comma or name a value.')
  const slash = item.indexOf('/')
  const base = slash < 0 ? item : item.slice(0, slash)
  const step = slash < 0 ? 1 : parseStep(field, rule, item.slice(slash + 1), at + slash)
  const [from, to] = parseRange(field, rule, base, at, slash >= 0)
  const values: number[] = []
  for (let value = from; value <= to; value += step) values.push(value)
  return values
}

function parseStep(field: FieldText, rule: FieldRule, text: string, at: number): number {
  if (!rule.steps) {
    throw fieldError(field, at, `"/" is not allowed in the field "${rule.name}".`, 'List the days instead: MON,WED,FRI.')
  }
  const step = Number(text)
  if (!/^\d+$/.test(text) || step < 1 || step > rule.max) {
    const problem = `"${text}" is not a step for the field "${rule.name}".`
    throw fieldError(field, at + 1, problem, `A step is a whole number from 1 to ${rule.max}.`)
  }
  return step
}

function parseRange(field: FieldText, rule: FieldRule, text: string, at: number, openEnd: boolean): [number, number] {
  if (text === '*') return [rule.min, rule.max]
  const dash = text.indexOf('-')
  if (dash < 0) {
    const value = parseValue(field, rule, text, at)
    return [value, openEnd ? rule.max : value]
  }
  const from = parseValue(field, rule, text.slice(0, dash), at)
  const to = parseValue(field, rule, text.slice(dash + 1), at + dash + 1)
  if (from > to) {
    const problem = `the range "${text}" of the field "${rule.name}" runs backwards.`
    throw fieldError(field, at, problem, 'Write a range from low to high, or two ranges with a comma.')
  }
  return [from, to]
}

/** One number or name of a field. */
export function parseValue(field: FieldText, rule: FieldRule, text: string, at: number): number {
  const named = rule.names?.indexOf(text) ?? -1
  if (named >= 0) return rule.min + named
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= rule.min && value <= rule.max) return value
  const upper = rule.names?.includes(text.toUpperCase()) ? `Names are upper case: ${text.toUpperCase()}.` : undefined
  const allowed = `Allowed are ${rule.min} to ${rule.max}${rule.names ? ` and ${rule.names[0]} to ${rule.names.at(-1)}` : ''}.`
  throw fieldError(field, at, `"${text}" is not a value of the field "${rule.name}".`, upper ?? allowed)
}
