/** Milliseconds of a day of UTC. */
export const dayMs = 86_400_000

/** Number of the day of UTC that an instant lies in. */
export function dayOf(instant: number): number {
  return Math.floor(instant / dayMs)
}

/**
 * The day at whose beginning an action of so many days is due: the day behind the one that the last of them lies in (user guide: stored on 2014-01-15 at 10:30, 3 days: 2014-01-19 00:00).
 */
export function dueDay(from: number, days: number): number {
  return dayOf(from) + days + 1
}

/** The same for an action with days or with a date. A date that has passed goes on acting: on what was stored since, at the beginning of the next day. */
export function actionDay(action: { readonly Days?: number; readonly Date?: string }, from: number): number {
  return action.Date === undefined ? dueDay(from, action.Days!) : Math.max(dayOf(Date.parse(action.Date)), dueDay(from, 0))
}
