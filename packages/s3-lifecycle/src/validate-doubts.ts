import { type CompiledRule, compileRules } from './compiled-rule'
import type { LifecycleRule } from './configuration'
import { type Findings, sources } from './finding'
import { transitionClasses } from './storage-class'

/** What AWS takes without a word although it can hardly be meant: rules that can never act, prefixes that look like patterns. */
export function findDoubts(findings: Findings, rules: readonly unknown[]): void {
  const given = rules as readonly LifecycleRule[]
  const compiled = compileRules({ Rules: given })
  for (const rule of compiled) {
    const path = `Rules[${rule.order}]`
    if (!rule.isEnabled) continue
    if (rule.prefix.startsWith('/'))
      findings.warning(
        path,
        'SuspiciousPrefix',
        `Keys seldom begin with a slash; "${rule.prefix}" may match nothing`,
        sources.filters,
      )
    if (rule.prefix.includes('*'))
      findings.warning(
        path,
        'SuspiciousPrefix',
        `A prefix has no wildcards: "${rule.prefix}" matches the * itself`,
        sources.filters,
      )
    if (rule.isWholeBucket && (rule.expiration !== undefined || rule.noncurrentExpiration !== undefined))
      findings.warning(path, 'WholeBucket', 'The rule deletes from the whole bucket', sources.filters)
    if (rule.expiration?.kind === 'date' || rule.transitions.some(({ kind }) => kind === 'date'))
      findings.warning(
        path,
        'DateKeepsActing',
        'A rule by date goes on acting on objects that are written after the date',
        sources.elements,
      )
  }
  findShadowed(findings, compiled)
}

/** Actions that another rule is always ahead of: an earlier expiry over the same or a wider scope. */
function findShadowed(findings: Findings, rules: readonly CompiledRule[]): void {
  const expiring = rules.filter(
    (rule) => rule.isEnabled && rule.expiration?.kind === 'days' && rule.tags.length === 0 && !rule.hasSizeFilter,
  )
  for (const rule of rules) {
    if (!rule.isEnabled) continue
    for (const other of expiring) {
      if (other === rule || !rule.prefix.startsWith(other.prefix)) continue
      const days = (other.expiration as { readonly days: number }).days
      const path = `Rules[${rule.order}]`
      const by = `rule ${other.order} ("${other.id}") expires the same objects after ${days} days`
      const late = rule.transitions.filter((step) => step.kind === 'days' && step.days >= days)
      for (const { to } of late)
        findings.warning(`${path}.Transitions`, 'NeverHappens', `The transition to ${to} never happens: ${by}`, sources.conflicts)
      if (
        rule.expiration?.kind === 'days' &&
        (rule.expiration.days > days || (rule.expiration.days === days && rule.order > other.order))
      )
        findings.warning(`${path}.Expiration`, 'NeverHappens', `The expiry never happens: ${by}`, sources.conflicts)
    }
  }
  findCrossed(findings, rules)
}

/** Two rules of one scope that move the same object to the same class: only the earlier acts. */
function findCrossed(findings: Findings, rules: readonly CompiledRule[]): void {
  const byScope = new Map<string, CompiledRule[]>()
  for (const rule of rules) {
    if (!rule.isEnabled || rule.transitions.length === 0) continue
    const scope = JSON.stringify([rule.prefix, rule.tags, rule.largerThanBytes, rule.smallerThanBytes])
    byScope.set(scope, [...(byScope.get(scope) ?? []), rule])
  }
  for (const same of byScope.values()) {
    for (const to of transitionClasses) {
      const steps = same.flatMap((rule) =>
        rule.transitions.flatMap((step) => (step.to === to && step.kind === 'days' ? [{ rule, days: step.days }] : [])),
      )
      const first = Math.min(...steps.map(({ days }) => days))
      for (const { rule } of steps.filter(({ days }) => days > first))
        findings.warning(
          `Rules[${rule.order}].Transitions`,
          'NeverHappens',
          `Another rule moves the same objects to ${to} earlier`,
          sources.conflicts,
        )
    }
  }
}
