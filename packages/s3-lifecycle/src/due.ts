import type { When } from './compiled-rule'

/** Milliseconds of a day. UTC has no daylight saving. */
export const dayMs = 86_400_000

/** The midnight UTC at or before a time. */
export function midnightBefore(timeMs: number): number {
  return Math.floor(timeMs / dayMs) * dayMs
}

/** The midnight UTC at or after a time. */
export function midnightFrom(timeMs: number): number {
  return Math.ceil(timeMs / dayMs) * dayMs
}

/**
 * When an action by days is due: base + days, then the next midnight UTC. Written on 2014-01-15 at 10:30, 3 days: 2014-01-19 00:00 (user
 * guide). A base exactly at midnight counts as the start of its day, so its next midnight is one day later; the guide does not say, MinIO
 * and LocalStack read it so.
 */
export function dueAfterDays(baseMs: number, days: number): number {
  return midnightBefore(baseMs) + (days + 1) * dayMs
}

/**
 * When an action is due for an object with that base. A date that has passed keeps acting: an object written later is due at its next
 * midnight.
 */
export function dueAt(when: When, baseMs: number): number {
  return when.kind === 'days' ? dueAfterDays(baseMs, when.days) : Math.max(when.atMs, dueAfterDays(baseMs, 0))
}

/** The base before which an object is due at `atMs`: `base < bound` means due. */
export function dueBound(when: When, atMs: number): number {
  const midnight = midnightBefore(atMs)
  if (when.kind === 'days') return midnight - when.days * dayMs
  return when.atMs <= atMs ? midnight : Number.NEGATIVE_INFINITY
}
