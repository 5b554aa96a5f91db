import type { AffectedGroup } from './affected'
import type { LifecycleRule } from './configuration'
import { byteSize, dateText, objects } from './figures'
import { isEmptyPlan, type LifecyclePlan, type RuleChange } from './plan'
import { costText } from './plan-cost'

/** A plan as text for people: changes as a diff, what they do, what is refused. The plan itself is the form for programs. */
export function formatPlan(plan: LifecyclePlan): string {
  const lines = [`bucket ${plan.bucket}, rules of ${plan.owner}`]
  if (isEmptyPlan(plan)) lines.push('  nothing to change')
  for (const change of plan.changes) lines.push(...changeLines(change))
  if (plan.minimumSize) {
    const { before, after, affected } = plan.minimumSize
    const effect =
      affected === undefined ? '' : `: ${objects(affected.objects)} (${byteSize(affected.bytes)}) move only in one of the two`
    lines.push(`  ~ minimum size ${before} → ${after}${effect}`)
  }
  lines.push(
    `  = ${plan.foreign.length} ${plan.foreign.length === 1 ? 'rule' : 'rules'} of others unchanged${plan.foreign.length > 0 ? `: ${plan.foreign.join(', ')}` : ''}`,
  )
  if (plan.effect) {
    lines.push(
      '',
      `by ${dateText(plan.effect.at)}, of ${objects(plan.effect.scanned.objects)} (${byteSize(plan.effect.scanned.bytes)}):`,
    )
    lines.push(...plan.effect.groups.map(groupLine))
    if (plan.effect.groups.length === 0) lines.push('  nothing is due')
  }
  if (plan.cost) lines.push('', costText(plan.cost))
  for (const { text } of plan.refused) lines.push('', `refused: ${text}`)
  for (const { path, message } of plan.warnings) lines.push('', `warning: ${path}: ${message}`)
  return lines.join('\n')
}

function changeLines(change: RuleChange): string[] {
  if (change.change === 'add') return [`  + ${change.id}: ${ruleText(change.after)}`]
  if (change.change === 'remove') return [`  - ${change.id}: ${ruleText(change.before)}`]
  return [
    `  ~ ${change.id} (${change.fields.join(', ')})`,
    `      was ${ruleText(change.before)}`,
    `      now ${ruleText(change.after)}`,
  ]
}

function groupLine({ action, reason, rule, to, objects: number, bytes, first, earliestDue, prefixes }: AffectedGroup): string {
  const what = action === 'stays' ? `stay (${reason})` : action === 'transition' ? `move to ${to}` : action
  const below = prefixes.slice(0, 3).map(({ prefix }) => prefix || '(no folder)')
  const more = prefixes.length > 3 ? ` and ${prefixes.length - 3} more` : ''
  return `  ${what}: ${objects(number)}, ${byteSize(bytes)}, by ${rule}, first ${first[0]?.key ?? ''} on ${dateText(earliestDue)}, below ${below.join(', ')}${more}`
}

/** A rule in one line. */
export function ruleText(rule: LifecycleRule): string {
  const when = (step: { readonly Days?: number | undefined; readonly Date?: Date | undefined }) =>
    step.Days === undefined ? `on ${dateText(new Date(step.Date!))}` : `after ${step.Days} days`
  const parts = [
    ...(rule.Transitions ?? []).map((step) => `${step.StorageClass} ${when(step)}`),
    ...(rule.Expiration?.ExpiredObjectDeleteMarker ? ['remove lone delete markers'] : []),
    ...(rule.Expiration && (rule.Expiration.Days !== undefined || rule.Expiration.Date)
      ? [`delete ${when(rule.Expiration)}`]
      : []),
    ...(rule.NoncurrentVersionTransitions ?? []).map(
      (step) => `noncurrent to ${step.StorageClass} after ${step.NoncurrentDays} days`,
    ),
    ...(rule.NoncurrentVersionExpiration
      ? [
          `noncurrent deleted after ${rule.NoncurrentVersionExpiration.NoncurrentDays} days${rule.NoncurrentVersionExpiration.NewerNoncurrentVersions ? ` beyond the newest ${rule.NoncurrentVersionExpiration.NewerNoncurrentVersions}` : ''}`,
        ]
      : []),
    ...(rule.AbortIncompleteMultipartUpload
      ? [`abort uploads after ${rule.AbortIncompleteMultipartUpload.DaysAfterInitiation} days`]
      : []),
  ]
  return `${scopeText(rule)}${rule.Status === 'Disabled' ? ' (disabled)' : ''}: ${parts.join(', ')}`
}

function scopeText({ Filter: filter = {}, Prefix }: LifecycleRule): string {
  const and = filter.And ?? {}
  const prefix = Prefix ?? filter.Prefix ?? and.Prefix ?? ''
  const tags = [...(filter.Tag ? [filter.Tag] : []), ...(and.Tags ?? [])]
  const larger = filter.ObjectSizeGreaterThan ?? and.ObjectSizeGreaterThan
  const smaller = filter.ObjectSizeLessThan ?? and.ObjectSizeLessThan
  return [
    prefix === '' ? 'whole bucket' : `"${prefix}"`,
    ...tags.map(({ Key, Value }) => `tag ${Key}=${Value}`),
    ...(larger === undefined ? [] : [`larger than ${byteSize(larger)}`]),
    ...(smaller === undefined ? [] : [`smaller than ${byteSize(smaller)}`]),
  ].join(', ')
}
