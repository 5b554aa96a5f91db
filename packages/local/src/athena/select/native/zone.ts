import { invalidArgument } from './failure'

const utcNames = new Set([
  'UTC',
  'Z',
  'GMT',
  'UT',
  'Zulu',
  'Etc/UTC',
  'Etc/GMT',
  'Etc/UCT',
  'UCT',
  'Universal',
  'Etc/Universal',
  'Etc/Zulu',
  'Greenwich',
  'GMT0',
  'Etc/GMT0',
  'Etc/Greenwich',
])
const formats = new Map<string, Intl.DateTimeFormat>()
const offsets = new Map<string, number>()
let regions: ReadonlySet<string> | undefined

/** Canonical name of a zone: `UTC`, a region, or `+05:30`; `undefined` when Trino would not know it. */
export function zoneName(text: string): string | undefined {
  if (utcNames.has(text)) return 'UTC'
  const fixed = /^(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(text)
  if (fixed !== null) {
    const hours = Number(fixed[2])
    const minutes = Number(fixed[3] ?? 0)
    if (hours > 14 || minutes > 59 || (hours === 14 && minutes > 0)) return undefined
    if (hours === 0 && minutes === 0) return 'UTC'
    return `${fixed[1]}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`
  }
  regions ??= new Set(Intl.supportedValuesOf('timeZone'))
  return regions.has(text) || isLink(text) ? text : undefined
}

/** Another name of a region (`Asia/Kolkata` of `Asia/Calcutta`), in the spelling of the zone database. */
function isLink(text: string): boolean {
  if (!/^[A-Z][A-Za-z]+(?:\/[A-Z][A-Za-z_-]+)+$/.test(text)) return false
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: text })
    return true
  } catch {
    return false
  }
}

/** @throws RuntimeError INVALID_FUNCTION_ARGUMENT for an unknown zone. */
export function requireZone(text: string): string {
  const zone = zoneName(text)
  if (zone === undefined) throw invalidArgument(`'${text}' is not a valid time zone`)
  return zone
}

/** Offset of the zone from UTC at an instant, in milliseconds. */
export function zoneOffset(zone: string, instantMs: number): number {
  if (zone === 'UTC') return 0
  if (/^[+-]/.test(zone)) {
    const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))
    return (zone.startsWith('-') ? -minutes : minutes) * 60_000
  }
  // No zone changes its offset within a quarter of an hour that begins on a multiple of one.
  const quarter = Math.floor(instantMs / 900_000)
  const key = `${zone} ${quarter}`
  const known = offsets.get(key)
  if (known !== undefined) return known
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'iso8601',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(zone, format)
  }
  const at = quarter * 900_000
  const part: Record<string, string> = {}
  for (const { type, value } of format.formatToParts(at)) part[type] = value
  const year = part['era'] === 'BC' ? 1 - Number(part['year']) : Number(part['year'])
  const local = new Date(0)
  local.setUTCFullYear(year, Number(part['month']) - 1, Number(part['day']))
  local.setUTCHours(Number(part['hour']), Number(part['minute']), Number(part['second']))
  const offset = local.getTime() - at
  if (offsets.size > 100_000) offsets.clear()
  offsets.set(key, offset)
  return offset
}

/** Local time of an instant, both in microseconds. */
export function toLocal(instant: bigint, zone: string): bigint {
  return instant + BigInt(zoneOffset(zone, Number(instant / 1000n))) * 1000n
}

/** Instant of a local time, both in microseconds. In a gap the clock has moved on; of two instants it is the earlier (java.time). */
export function fromLocal(local: bigint, zone: string): bigint {
  if (zone === 'UTC') return local
  const ms = Number(local / 1000n)
  const before = zoneOffset(zone, ms - 86_400_000)
  const after = zoneOffset(zone, ms + 86_400_000)
  const fits = (offset: number): boolean => zoneOffset(zone, ms - offset) === offset
  const offset = fits(before) ? before : fits(after) ? after : before
  return local - BigInt(offset) * 1000n
}
