import { ConfigError, PipeError } from '@pipe/core'
import { describe, expect, it } from 'vitest'
import { defineSchedule, parseSchedule } from '../src/index'

const failure = (expression: string): PipeError<{ expression: string; column: number }> => {
  try {
    parseSchedule(expression)
  } catch (error) {
    if (PipeError.isInstance(error) && error.code === 'PIPE_SCHEDULE') return error as never
    throw error
  }
  throw new Error(`${expression} was accepted`)
}

describe('rate', () => {
  it.each([
    ['rate(1 minute)', 60_000],
    ['rate(5 minutes)', 300_000],
    ['rate(1 hour)', 3_600_000],
    ['rate(12 hours)', 43_200_000],
    ['rate(1 day)', 86_400_000],
    ['rate(7  days)', 604_800_000],
  ])('%s', (expression, everyMs) => {
    expect(parseSchedule(expression)).toEqual({ kind: 'rate', expression, everyMs })
  })

  it.each([
    ['rate(1 minutes)', 8, 'rate(1 minute)'],
    ['rate(5 minute)', 8, 'rate(5 minutes)'],
    ['rate(0 minutes)', 6, 'greater than 0'],
    ['rate(-5 minutes)', 6, 'greater than 0'],
    ['rate(1.5 hours)', 6, 'greater than 0'],
    ['rate(5 weeks)', 8, 'not a unit'],
    ['rate(5 minutess)', 8, 'not a unit'],
    ['rate(5)', 7, 'not a unit'],
    ['rate()', 6, 'greater than 0'],
    ['rate(5 minutes extra)', 6, 'one number and one unit'],
    ['rate( 5 minutes)', 6, 'one number'],
    ['rate(99999999999999 days)', 6, 'beyond'],
    ['5 minutes', 1, 'rate(…) or cron(…)'],
    ['Rate(5 minutes)', 1, 'rate(…) or cron(…)'],
    ['at(2026-11-24T00:00:00)', 1, 'rate(…) or cron(…)'],
    ['', 1, 'rate(…) or cron(…)'],
  ])('%s is refused at column %i', (expression, column, text) => {
    const error = failure(expression)
    expect(error.details).toEqual({ expression, column })
    expect(error.message).toContain(text)
  })
})

describe('cron', () => {
  it('reads every kind of field', () => {
    expect(parseSchedule('cron(0/15 8-17 ? JAN,MAR MON-FRI 2026-2027)')).toMatchObject({
      kind: 'cron',
      cron: {
        minutes: [0, 15, 30, 45],
        hours: [8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
        months: [1, 3],
        days: { kind: 'weekdays', weekdays: [1, 2, 3, 4, 5] },
        years: [2026, 2027],
      },
    })
    expect(parseSchedule('cron(5,5,1-9/4 */6 1,15 * ? *)')).toMatchObject({
      cron: { minutes: [1, 5, 9], hours: [0, 6, 12, 18], days: { kind: 'days', days: [1, 15] } },
    })
    expect(parseSchedule('cron(0 0 L * ? *)')).toMatchObject({ cron: { days: { kind: 'last-day' } } })
    expect(parseSchedule('cron(0 0 3W * ? *)')).toMatchObject({ cron: { days: { kind: 'nearest-weekday', day: 3 } } })
    expect(parseSchedule('cron(0 0 ? * 3#2 *)')).toMatchObject({ cron: { days: { kind: 'nth-weekday', weekday: 2, nth: 2 } } })
    expect(parseSchedule('cron(0 0 ? * FRIL *)')).toMatchObject({ cron: { days: { kind: 'last-weekday', weekday: 5 } } })
    expect(parseSchedule('cron(0 0 ? * L *)')).toMatchObject({ cron: { days: { kind: 'weekdays', weekdays: [6] } } })
    expect(parseSchedule('cron(0 0 ? * WED *)')).toMatchObject({ cron: { days: { weekdays: [3] } } })
    const everyYear = parseSchedule('cron(0 0 1 1 ? *)')
    expect(everyYear.kind === 'cron' && [everyYear.cron.years[0], everyYear.cron.years.at(-1)]).toEqual([1970, 2199])
  })

  it.each([
    ['cron(0 12 * * *)', 6, '6 fields, here are 5'],
    ['cron(0 12 * * ? * *)', 19, '6 fields, here are 7'],
    ['cron(0 12 * * * *)', 11, 'exactly one'],
    ['cron(0 12 ? * ? *)', 11, 'exactly one'],
    ['cron(60 12 * * ? *)', 6, '"60" is not a value of the field "minutes"'],
    ['cron(0 24 * * ? *)', 8, '"24"'],
    ['cron(0 12 32 * ? *)', 11, '"32"'],
    ['cron(0 12 0 * ? *)', 11, '"0"'],
    ['cron(0 12 * 13 ? *)', 13, '"13"'],
    ['cron(0 12 * JAM ? *)', 13, '"JAM"'],
    ['cron(0 12 ? * mon *)', 15, 'upper case: MON'],
    ['cron(0 12 ? * 8 *)', 15, '"8"'],
    ['cron(0 12 ? * 0 *)', 15, '"0"'],
    ['cron(0 12 ? * MON/2 *)', 18, '"/" is not allowed'],
    ['cron(0 12 * * ? 1969)', 17, '"1969"'],
    ['cron(0 12 * * ? 2200)', 17, '"2200"'],
    ['cron(0/0 12 * * ? *)', 8, 'not a step'],
    ['cron(0/x 12 * * ? *)', 8, 'not a step'],
    ['cron(1,,2 12 * * ? *)', 8, 'empty entry'],
    ['cron(5-1 12 * * ? *)', 6, 'backwards'],
    ['cron(0 12 ? * FRI-MON *)', 15, 'backwards'],
    ['cron(0 12 1,L * ? *)', 13, 'stand alone'],
    ['cron(0 12 LW * ? *)', 11, 'stand alone'],
    ['cron(0 12 ? * 3#1,6#3 *)', 16, 'stand alone'],
    ['cron(0 12 ? * 3#6 *)', 17, 'after # comes 1 to 5'],
    ['cron(0 12 3#2 * ? *)', 12, '#'],
    ['cron(0 12 ? * 3W *)', 16, 'W belongs'],
    ['cron(? 12 * * ? *)', 6, '"?" is not a value'],
    ['cron(a-b 12 * * ? *)', 6, '"a"'],
    ['cron()', 6, '6 fields, here are 0'],
  ])('%s is refused at column %i', (expression, column, text) => {
    const error = failure(expression)
    expect(error.message.toLowerCase()).toContain(text.toLowerCase())
    expect(error.details).toEqual({ expression, column })
  })
})

describe('defineSchedule', () => {
  it('is a frozen, named, checked schedule', () => {
    const compact = defineSchedule('compact', 'rate(5 minutes)')
    expect(compact).toEqual({ name: 'compact', kind: 'rate', expression: 'rate(5 minutes)', everyMs: 300_000 })
    expect(Object.isFrozen(compact)).toBe(true)
    const text: string = 'cron(0 12 * * ? *)'
    expect(defineSchedule('noon', text).kind).toBe('cron')
  })

  it('refuses a wrong singular or plural when compiled, too', () => {
    // @ts-expect-error plural after 1
    expect(() => defineSchedule('a', 'rate(1 minutes)')).toThrow('rate(1 minute)')
    // @ts-expect-error singular after 5
    expect(() => defineSchedule('a', 'rate(5 minute)')).toThrow('rate(5 minutes)')
    // @ts-expect-error neither rate nor cron
    expect(() => defineSchedule('a', 'every 5 minutes')).toThrow('PIPE_SCHEDULE')
  })

  it('refuses a name that no rule may have', () => {
    expect(() => defineSchedule('my rule', 'rate(5 minutes)')).toThrow(ConfigError)
    expect(() => defineSchedule('', 'rate(5 minutes)')).toThrow('name of an EventBridge rule')
    expect(() => defineSchedule('x'.repeat(65), 'rate(5 minutes)')).toThrow(ConfigError)
  })
})
