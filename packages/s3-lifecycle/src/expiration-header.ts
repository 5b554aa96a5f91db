import { compileRules, matches } from './compiled-rule'
import type { LifecycleConfiguration } from './configuration'
import { dueAt } from './due'
import type { StoredObject } from './stored-object'

/**
 * The header `x-amz-expiration` that S3 sends with the current version of an object (PUT, GET and HEAD without a version id): the date and
 * the rule of the earliest expiry. Comparing it with HEAD on some objects of a real bucket checks this package against S3.
 *
 * Of rules with the same date S3 names the first. There is no header without an expiry by days or date, for a delete marker, and for a
 * noncurrent version.
 *
 * @returns `expiry-date="Fri, 23 Dec 2026 00:00:00 GMT", rule-id="age-logs"`, or `undefined`.
 */
export function expirationHeader(configuration: LifecycleConfiguration, object: StoredObject): string | undefined {
  if (object.isDeleteMarker || object.isLatest === false) return undefined
  let dueMs = Number.POSITIVE_INFINITY
  let rule = ''
  for (const candidate of compileRules(configuration)) {
    if (candidate.expiration === undefined || !matches(candidate, object)) continue
    const due = dueAt(candidate.expiration, object.lastModified.getTime())
    if (due < dueMs) [dueMs, rule] = [due, candidate.id]
  }
  return dueMs === Number.POSITIVE_INFINITY
    ? undefined
    : `expiry-date="${new Date(dueMs).toUTCString()}", rule-id="${headerText(rule)}"`
}

/** The API reference calls the id URL-encoded; every recorded answer has spaces as they are. What no header can hold is encoded. */
function headerText(id: string): string {
  return id.replaceAll(/[^\x20-\x7e]+|["%]/g, (text) => encodeURIComponent(text))
}
