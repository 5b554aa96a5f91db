import { minimumSizeModeOf } from './compiled-rule'
import type { LifecycleConfiguration, LifecycleRule } from './configuration'

/**
 * A rule as a text that is equal for rules that mean the same: order of tags and transitions, `{}` or `{ Prefix: '' }`, dates as text or
 * `Date`, fields that are absent or `undefined` make no difference.
 */
export function normalForm(rule: LifecycleRule): string {
  const { Filter: filter, ...rest } = rule
  return JSON.stringify(sorted({ ...rest, ...(filter !== undefined && { Filter: normalFilter(filter) }) }))
}

function normalFilter(filter: NonNullable<LifecycleRule['Filter']>): object {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined)
  return given.length === 0 ? { Prefix: '' } : Object.fromEntries(given)
}

function sorted(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'string') return isDateText(value) ? new Date(value).toISOString() : value
  if (Array.isArray(value)) {
    // Lists of this API are sets: tags and transitions.
    return value
      .map((item) => JSON.stringify(sorted(item)))
      .sort()
      .map((text) => JSON.parse(text) as unknown)
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, item]) => item !== undefined && !(Array.isArray(item) && item.length === 0))
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]))
}

function isDateText(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text)
}

/** Whether two rules mean the same. */
export function sameRule(a: LifecycleRule, b: LifecycleRule): boolean {
  return normalForm(a) === normalForm(b)
}

/** Whether two configurations mean the same: rules as a set, and the minimum-size mode. `undefined`: no configuration. */
export function sameConfiguration(a: LifecycleConfiguration | undefined, b: LifecycleConfiguration | undefined): boolean {
  const form = (configuration: LifecycleConfiguration | undefined) =>
    configuration === undefined
      ? ''
      : `${minimumSizeModeOf(configuration)}\n${configuration.Rules.map(normalForm).sort().join('\n')}`
  return form(a) === form(b)
}

/** Names of the fields in which two rules differ, for people. */
export function changedFields(before: LifecycleRule, after: LifecycleRule): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof LifecycleRule>
  const only = (rule: LifecycleRule, name: keyof LifecycleRule) => normalForm({ [name]: rule[name] } as never)
  return [...names].filter((name) => only(before, name) !== only(after, name))
}
