import { localMicros, localTime } from './date-time'
import { invalidArgument } from './failure'

const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

function two(value: number): string {
  return String(value).padStart(2, '0')
}

// ISO week and the year that it belongs to.
function isoWeek(year: number, month: number, day: number): { week: number; year: number } {
  const date = new Date(Date.UTC(year, month - 1, day))
  const weekday = (date.getUTCDay() + 6) % 7
  const thursday = new Date(date.getTime() + (3 - weekday) * 86_400_000)
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1)
  return { week: Math.floor((thursday.getTime() - first) / 86_400_000 / 7) + 1, year: thursday.getUTCFullYear() }
}

/** date_format: MySQL's codes, as Trino has them. `%D %U %u %V %w %X` are errors there too. */
export function dateFormat(micros: bigint, format: string): string {
  const time = localTime(micros)
  const hour12 = time.hour % 12 === 0 ? 12 : time.hour % 12
  const half = time.hour < 12 ? 'AM' : 'PM'
  const date = new Date(Date.UTC(time.year, time.month - 1, time.day))
  const weekday = weekdays[(date.getUTCDay() + 6) % 7] as string
  const month = months[time.month - 1] as string
  return format.replace(/%(.)|%$/gsu, (_, code: string | undefined) => {
    switch (code) {
      case 'a':
        return weekday.slice(0, 3)
      case 'b':
        return month.slice(0, 3)
      case 'c':
        return String(time.month)
      case 'd':
        return two(time.day)
      case 'e':
        return String(time.day)
      case 'f':
        // Trino formats milliseconds and fills with zeros.
        return `${String(Math.floor(time.micros / 1000)).padStart(3, '0')}000`
      case 'H':
        return two(time.hour)
      case 'h':
      case 'I':
        return two(hour12)
      case 'i':
        return two(time.minute)
      case 'j':
        return String(Math.round((date.getTime() - Date.UTC(time.year, 0, 1)) / 86_400_000) + 1).padStart(3, '0')
      case 'k':
        return String(time.hour)
      case 'l':
        return String(hour12)
      case 'M':
        return month
      case 'm':
        return two(time.month)
      case 'p':
        return half
      case 'r':
        return `${two(hour12)}:${two(time.minute)}:${two(time.second)} ${half}`
      case 'S':
      case 's':
        return two(time.second)
      case 'T':
        return `${two(time.hour)}:${two(time.minute)}:${two(time.second)}`
      case 'v':
        return two(isoWeek(time.year, time.month, time.day).week)
      case 'x':
        return String(isoWeek(time.year, time.month, time.day).year).padStart(4, '0')
      case 'W':
        return weekday
      case 'Y':
        return String(time.year).padStart(4, '0')
      case 'y':
        return two(time.year % 100)
      case undefined:
        return '%'
      default:
        if ('DUuVwX'.includes(code)) throw invalidArgument(`%${code} not supported in date format string`)
        return code
    }
  })
}

interface Draft {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  micros: number
  hour12?: number
  afternoon?: boolean
}

/** date_parse: local time in microseconds (whole milliseconds). The whole text must be used up. */
export function dateParse(text: string, format: string): bigint {
  const failed = () => invalidArgument(`Invalid format: "${text}"`)
  const draft: Draft = { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, micros: 0 }
  let rest = text
  const number = (digits: number): number => {
    const match = new RegExp(`^\\d{1,${digits}}`).exec(rest)
    if (match === null) throw failed()
    rest = rest.slice(match[0].length)
    return Number(match[0])
  }
  const word = (words: readonly string[]): number => {
    const index = words.findIndex((candidate) => rest.slice(0, candidate.length).toLowerCase() === candidate.toLowerCase())
    if (index < 0) throw failed()
    rest = rest.slice((words[index] as string).length)
    return index
  }
  const literal = (expected: string): void => {
    if (!rest.startsWith(expected)) throw failed()
    rest = rest.slice(expected.length)
  }
  const field = (code: string): void => {
    switch (code) {
      case 'Y': {
        const match = /^[+-]?\d{1,9}/.exec(rest)
        if (match === null) throw failed()
        rest = rest.slice(match[0].length)
        draft.year = Number(match[0])
        return
      }
      case 'y': {
        const value = number(2)
        draft.year = value < 70 ? 2000 + value : 1900 + value
        return
      }
      case 'c':
      case 'm':
        draft.month = number(2)
        return
      case 'd':
      case 'e':
        draft.day = number(2)
        return
      case 'H':
      case 'k':
        draft.hour = number(2)
        return
      case 'h':
      case 'I':
      case 'l':
        draft.hour12 = number(2)
        return
      case 'i':
        draft.minute = number(2)
        return
      case 'S':
      case 's':
        draft.second = number(2)
        return
      case 'f': {
        const match = /^\d{1,9}/.exec(rest)
        if (match === null) throw failed()
        rest = rest.slice(match[0].length)
        draft.micros = Number(match[0].padEnd(3, '0').slice(0, 3)) * 1000
        return
      }
      case 'M':
        draft.month = word(months) + 1
        return
      case 'b':
        draft.month = word(months.map((name) => name.slice(0, 3))) + 1
        return
      case 'W':
        word(weekdays)
        return
      case 'a':
        word(weekdays.map((name) => name.slice(0, 3)))
        return
      case 'p':
        draft.afternoon = word(['AM', 'PM']) === 1
        return
      case 'T':
        for (const part of ['H', ':', 'i', ':', 's']) part === ':' ? literal(part) : field(part)
        return
      case 'r':
        for (const part of ['h', ':', 'i', ':', 's', ' ', 'p']) /[: ]/.test(part) ? literal(part) : field(part)
        return
      case '%':
        literal('%')
        return
      default:
        if ('DUuVwXjvx'.includes(code)) throw invalidArgument(`%${code} not supported in date format string`)
        literal(code)
    }
  }
  const characters = Array.from(format)
  for (let at = 0; at < characters.length; at++) {
    const char = characters[at] as string
    if (char === '%' && at + 1 < characters.length) field(characters[++at] as string)
    else literal(char)
  }
  if (rest !== '') throw failed()
  if (draft.hour12 !== undefined) {
    if (draft.hour12 < 1 || draft.hour12 > 12) throw failed()
    draft.hour = (draft.hour12 % 12) + (draft.afternoon === true ? 12 : 0)
  } else if (draft.afternoon !== undefined) {
    throw failed()
  }
  const micros = localMicros(draft)
  if (micros === undefined) throw failed()
  return micros
}
