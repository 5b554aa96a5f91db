import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lifecycleEvaluator, simulateLifecycle, validateLifecycle } from '../src/index'
import { prefixIndex } from '../src/prefix-index'
import { configuration, object, versions } from './random-configuration'

describe('prefixIndex', () => {
  it('finds the prefixes that a loop over all of them finds', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'é', '日', '\ud83d', '\ude00', '\u0000'), maxLength: 6 })
    fc.assert(
      fc.property(fc.array(text, { maxLength: 12 }), fc.array(text, { minLength: 1, maxLength: 12 }), (prefixes, keys) => {
        const entries = prefixes.map((prefix, at) => ({ prefix, at }))
        const index = prefixIndex(entries, (matching) => matching.map(({ at }) => at))
        for (const key of keys) {
          expect(index.lookup(key)).toEqual(entries.filter(({ prefix }) => key.startsWith(prefix)).map(({ at }) => at))
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('lifecycleEvaluator', () => {
  it('the random configurations of these tests are such as S3 takes', () => {
    fc.assert(
      fc.property(configuration, (rules) => {
        expect(validateLifecycle(rules).filter(({ severity }) => severity === 'error')).toEqual([])
      }),
    )
  })

  const at = fc.integer({ min: 0, max: 500 }).map((days) => new Date(Date.UTC(2026, 0, 1) + days * 86_400_000))

  it('of two dates that have passed names the rule of the earlier one', () => {
    const rule = (ID: string, date: string) => ({
      ID,
      Status: 'Enabled' as const,
      Filter: {},
      Expiration: { Date: new Date(date) },
    })
    const rules = { Rules: [rule('later', '2026-03-01'), rule('earlier', '2026-02-01')] }
    const evaluate = lifecycleEvaluator(rules, { at: new Date('2026-04-01') })
    expect(evaluate({ key: 'a', sizeBytes: 1, lastModified: new Date('2026-01-01') })!.rule).toBe('earlier')
    // Written after both: due at the same midnight, the first rule.
    expect(evaluate({ key: 'a', sizeBytes: 1, lastModified: new Date('2026-03-05') })!.rule).toBe('later')
  })

  it.each(['unversioned', 'enabled', 'suspended'] as const)(
    'says what the simulator does at that midnight (%s)',
    (versioning) => {
      fc.assert(
        fc.property(configuration, object, at, (rules, one, midnight) => {
          const verdict = lifecycleEvaluator(rules, { at: midnight, versioning })(one)
          const to = new Date(midnight.getTime() + 1)
          const [outcome] = [...simulateLifecycle(rules, [one], { from: midnight, to, versioning })]
          const [event] = outcome!.events
          if (event === undefined) expect(verdict?.action ?? 'stays').toBe('stays')
          else {
            expect(verdict).toMatchObject({ action: event.action, rule: event.rule, to: event.to })
            expect(verdict!.dueMs(one.lastModified.getTime())).toBe(event.dueAt.getTime())
          }
        }),
        { numRuns: 1500 },
      )
    },
  )

  it('every action of a simulation comes by the rules: bases, order of classes, one action a version and day', () => {
    fc.assert(
      fc.property(
        configuration,
        versions,
        fc.constantFrom('enabled' as const, 'suspended' as const),
        (rules, list, versioning) => {
          const from = new Date(Date.UTC(2026, 5, 1))
          const to = new Date(from.getTime() + 400 * 86_400_000)
          const [outcome] = [...simulateLifecycle(rules, list, { from, to, versioning })]
          const seen = new Set<string>()
          for (const event of outcome!.events) {
            expect(event.date.getTime() % 86_400_000).toBe(0)
            expect(event.date >= from && event.date < to && event.dueAt <= event.date).toBe(true)
            const name = `${event.versionId} ${event.date.toISOString()}`
            // A null version and the null marker that replaces it share their id.
            if (event.versionId !== 'null') expect(seen.has(name)).toBe(false)
            seen.add(name)
          }
          expect(outcome!.versions.filter(({ isLatest }) => isLatest).length).toBe(outcome!.versions.length > 0 ? 1 : 0)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
