/** What stands between date and time, and behind the milliseconds: `[' ', '']`, or `['T', 'Z']`. */
export type InstantSeparators = readonly [between: string, behind: string]

/** Day and minute of an instant: `2026-11-24 15:31:`. */
export function minuteText(minuteStart: number, between: string): string {
  const iso = new Date(minuteStart).toISOString()
  return `${iso.slice(0, 10)}${between}${iso.slice(11, 17)}`
}
