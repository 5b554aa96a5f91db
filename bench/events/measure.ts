// Runs in a process of its own: nothing else has shaped its compiled code.
import { compilePattern, createRuleIndex } from '@pipe/events'
import { referenceMatches } from '../../packages/events/test/pattern/reference-matcher'
import { interleave, type Round } from '../result'

/** Rounds by name. */
export interface EventsMeasurement {
  readonly interpreted: readonly Round[]
  readonly compiled: readonly Round[]
  readonly ten: readonly Round[]
  readonly thousand: readonly Round[]
  /** Whether both indexes find what trying every rule finds. */
  readonly agrees: boolean
}

const rounds = 9
const shops = 100

/** A rule for a shop, with a condition on the content; each shop has as many conditions as there are rounds over the shops. */
function ruleOf(i: number): { readonly name: string; readonly pattern: Readonly<Record<string, unknown>> } {
  const contents = [
    { total: [{ numeric: ['>=', 100 + (i % 50)] }] },
    { state: [{ 'anything-but': ['paid', 'sent'] }] },
    { customer: { name: [{ prefix: 'A' }] } },
    { items: { sku: [`sku-${i % 20}`], count: [{ numeric: ['>', 1] }] } },
    { $or: [{ total: [{ numeric: ['<', 10] }] }, { state: ['open'] }] },
  ]
  const detail = contents[Math.floor(i / shops) % contents.length]!
  return { name: `rule-${i}`, pattern: { source: [`com.shop-${i % shops}`], 'detail-type': ['OrderPlaced'], detail } }
}

/** Events of all shops in turn. */
function eventOf(i: number): Readonly<Record<string, unknown>> {
  return {
    version: '0',
    id: `e-${i}`,
    'detail-type': i % 7 === 0 ? 'OrderCancelled' : 'OrderPlaced',
    source: `com.shop-${i % shops}`,
    account: '123456789012',
    time: '2026-11-24T00:00:00Z',
    region: 'us-east-1',
    resources: [`arn:aws:shop:::order/${i}`],
    detail: {
      id: `o-${i}`,
      total: (i * 37) % 250,
      state: ['open', 'paid', 'sent'][i % 3],
      customer: { name: ['Ada', 'Bob', 'Abe'][(i * 7) % 3], email: `c${i}@example.com` },
      items: Array.from({ length: 1 + (i % 3) }, (_, n) => ({
        sku: `sku-${(i + n) % 20}`,
        count: 1 + ((i + n) % 3),
        price: 9.5,
      })),
    },
  }
}

async function timed(work: () => number): Promise<Round> {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  const found = work()
  const used = process.cpuUsage(cpu)
  return {
    ms: performance.now() - start,
    cpuMs: (used.user + used.system) / 1000,
    peakRssMb: process.resourceUsage().maxRSS / 1024,
    digest: String(found),
  }
}

const events = Array.from({ length: 8000 }, (_, i) => eventOf(i))
const some = events.slice(0, 2000)
const patterns = [0, 100, 200, 300, 400].map((i) => ruleOf(i).pattern)
const compiledPatterns = patterns.map((pattern) => compilePattern(pattern))
// The ten rules of one shop with its events, and a thousand of a hundred shops with theirs: an event meets ten rules in both.
const tenRules = Array.from({ length: 10 }, (_, i) => ruleOf(i * shops))
const oneShop = events.map((event) => ({ ...event, source: 'com.shop-0' }))
const thousandRules = Array.from({ length: 1000 }, (_, i) => ruleOf(i))
const tenIndex = createRuleIndex(tenRules)
const thousandIndex = createRuleIndex(thousandRules)
const all = (matching: (event: object) => number, given: readonly object[]) =>
  given.reduce((sum: number, event) => sum + matching(event), 0)

const measured = await interleave(
  {
    interpreted: () => timed(() => all((event) => patterns.filter((pattern) => referenceMatches(pattern, event)).length, some)),
    compiled: () => timed(() => all((event) => compiledPatterns.filter((pattern) => pattern.matches(event)).length, some)),
    ten: () => timed(() => all((event) => tenIndex.matching(event).length, oneShop)),
    thousand: () => timed(() => all((event) => thousandIndex.matching(event).length, events)),
  },
  rounds,
  () => {},
)
/** Every rule tried for a part of the events: the index must find the same. */
const agrees = ([tenRules, thousandRules] as const).every((rules, i) => {
  const index = [tenIndex, thousandIndex][i]!
  const compiled = rules.map(({ name, pattern }) => ({ name, matches: compilePattern(pattern).matches }))
  return events.slice(0, 300).every((event) => {
    const tried = compiled.filter(({ matches }) => matches(event)).map(({ name }) => name)
    return tried.join() === index.matching(event).join()
  })
})
const result: EventsMeasurement = { ...measured, agrees }
process.stdout.write(JSON.stringify(result))
