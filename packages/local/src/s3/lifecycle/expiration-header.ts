import type { BucketIndex } from '../bucket-index'
import type { ObjectRecord } from '../object-record'
import { actionDay, dayMs } from './calendar'
import { isInScope, scopeOf } from './rule-scope'

/**
 * The header `x-amz-expiration` of a current version: date and rule of its earliest expiry by days or date, of two on one day the first rule. Nothing when
 * there is none.
 */
export function expirationHeader(index: BucketIndex, record: ObjectRecord): { readonly 'x-amz-expiration'?: string } {
  const { lifecycle } = index.configuration
  if (lifecycle === undefined) return {}
  let day = Number.POSITIVE_INFINITY
  let id = ''
  for (const rule of lifecycle.Rule) {
    const { Expiration: expiration, Status, ID = '' } = rule
    if (Status !== 'Enabled' || expiration === undefined || expiration.ExpiredObjectDeleteMarker !== undefined) continue
    if (!isInScope(scopeOf(rule), record)) continue
    const due = actionDay(expiration, record.lastModified)
    if (due < day) [day, id] = [due, ID]
  }
  if (day === Number.POSITIVE_INFINITY) return {}
  // Ids may hold what a header cannot.
  const text = id.replace(/[^\x20-\x7e]+|["%]/g, (odd) => encodeURIComponent(odd))
  return { 'x-amz-expiration': `expiry-date="${new Date(day * dayMs).toUTCString()}", rule-id="${text}"` }
}
