import { type CompiledRule, compileRules, type When } from './compiled-rule'
import type { LifecycleRule } from './configuration'

/** Why a plan cannot be applied. */
export interface PlanRefusal {
  readonly what: 'protected-prefix' | 'version-1' | 'too-many-rules' | 'invalid' | 'costs-more'
  readonly rules: readonly string[]
  /** What is wrong and what to do. */
  readonly text: string
}

/** Keys that something still needs: never touched, or not before they are so many days old. */
export type ProtectedPrefix = string | { readonly prefix: string; readonly untilDays: number }

/** Rules that delete or move what is protected. A rule whose tags or sizes might spare it is refused as well: nobody can be sure. */
export function checkProtected(rules: readonly LifecycleRule[], guarded: readonly ProtectedPrefix[]): readonly PlanRefusal[] {
  const refused: PlanRefusal[] = []
  for (const rule of compileRules({ Rules: rules })) {
    if (!rule.isEnabled) continue
    for (const guard of guarded) {
      const { prefix, untilDays } = typeof guard === 'string' ? { prefix: guard, untilDays: Number.POSITIVE_INFINITY } : guard
      if (!rule.prefix.startsWith(prefix) && !prefix.startsWith(rule.prefix)) continue
      const actions = earlyActions(rule, untilDays)
      if (actions.length === 0) continue
      const until = untilDays === Number.POSITIVE_INFINITY ? 'at any age' : `before ${untilDays} days`
      refused.push({
        what: 'protected-prefix',
        rules: [rule.id],
        text: `${rule.id} would ${actions.join(' and ')} objects below "${prefix}" ${until}, which is protected. Narrow its scope${untilDays === Number.POSITIVE_INFINITY ? '' : `, or wait at least ${untilDays} days`}.`,
      })
    }
  }
  return refused
}

function earlyActions(rule: CompiledRule, untilDays: number): string[] {
  // A date says nothing about the age of what it will find.
  const isEarly = (when: When | undefined) => when !== undefined && (when.kind === 'date' || when.days < untilDays)
  return [
    ...(isEarly(rule.expiration) ? ['delete'] : []),
    ...(rule.transitions.some(isEarly) ? ['move'] : []),
    ...((rule.noncurrentExpiration?.days ?? Number.POSITIVE_INFINITY) < untilDays ? ['delete noncurrent versions of'] : []),
    ...(rule.noncurrentTransitions.some(({ days }) => days < untilDays) ? ['move noncurrent versions of'] : []),
  ]
}
