import type { Field, RecordPlace } from '../field-spec'
import { own } from '../own-field'

/** Paths of made-up requests. */
export const webPaths: readonly string[] = [
  '/',
  '/index.html',
  '/api/devices',
  '/api/orders?page=2',
  '/assets/app.js',
  '/login',
  '/health',
  '/images/logo.png',
]

/** User agents. */
export const webAgents: readonly string[] = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15',
  'curl/8.14.1',
  'python-requests/2.32.4',
]

/** Seconds with three digits, such as `0.086`: mostly small, sometimes not. */
export function seconds(id: string): Field<string> {
  return own(id, ({ draw }) => {
    const ms = draw(50) === 0 ? draw(3000) : draw(120)
    return `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, '0')}`
  })
}

/** ISO 8601 with microseconds, which the load balancers write: the record's own time, to the millisecond. */
export function microsecondTime({ eventTime }: RecordPlace): string {
  return `${eventTime.toISOString().slice(0, -1)}000Z`
}

/** Hexadecimal digits drawn for a record. */
export function hexDigits(draw: RecordPlace['draw'], count: number): string {
  let text = ''
  while (text.length < count) text += draw(65_536).toString(16).padStart(4, '0')
  return text.slice(0, count)
}
