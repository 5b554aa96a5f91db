// Runs in a process of its own: nothing else shares its memory or has shaped its compiled code.
import {
  type LifecycleConfiguration,
  lifecycleEvaluator,
  type StoredObject,
  simulateLifecycle,
  type TransitionClass,
  wouldAffect,
} from '@pipe/s3-lifecycle'
import { interleave, type Round } from '../result'

/** Rounds by name. */
export type LifecycleMeasurement = Readonly<Record<string, readonly Round[]>>

const at = new Date('2026-11-24T00:00:00Z')
const day = 86_400_000
const rounds = 15
const classes: readonly TransitionClass[] = ['STANDARD_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE']
const prefixOf = (number: number) => `logs/app-${String(number).padStart(4, '0')}/`

/** As many rules as prefixes; each moves and expires, some by size. */
function rulesOf(count: number): LifecycleConfiguration {
  return {
    Rules: Array.from({ length: count }, (_, i) => ({
      ID: `rule-${i}`,
      Status: 'Enabled',
      Filter: i % 5 === 0 ? { And: { Prefix: prefixOf(i), ObjectSizeGreaterThan: 1000 } } : { Prefix: prefixOf(i) },
      Transitions: [{ Days: 30 + (i % 60), StorageClass: classes[i % classes.length]! }],
      Expiration: { Days: 365 + (i % 100) },
    })),
  }
}

/** The prefixes take turns: the worst order for whatever remembers the last one. */
function objectsOf(count: number, prefixes: number): StoredObject[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `${prefixOf(i % prefixes)}dt=2026-11-${String((i % 28) + 1).padStart(2, '0')}/part-${String(i).padStart(8, '0')}.parquet`,
    sizeBytes: (i * 7919) % 1_000_000,
    lastModified: new Date(at.getTime() - ((i * 37) % 600) * day - 12_345),
    storageClass: 'STANDARD',
  }))
}

/** Reads every field once, and the key at both ends. */
function readFields(objects: readonly StoredObject[]): string {
  let sum = 0
  for (const { key, sizeBytes, lastModified, storageClass } of objects) {
    sum +=
      key.length + key.charCodeAt(0) + key.charCodeAt(key.length - 1) + sizeBytes + lastModified.getTime() + storageClass!.length
  }
  return String(sum)
}

function countVerdicts(evaluate: ReturnType<typeof lifecycleEvaluator>, objects: readonly StoredObject[]): string {
  let [deleted, moved, stayed] = [0, 0, 0]
  for (const object of objects) {
    const action = evaluate(object)?.action
    if (action === 'delete') deleted++
    else if (action === 'transition') moved++
    else if (action === 'stays') stayed++
  }
  return `${deleted} ${moved} ${stayed}`
}

/** The same counts by the simulator, which shares neither index nor comparisons. */
function simulated(configuration: LifecycleConfiguration, objects: readonly StoredObject[]): string {
  let [deleted, moved, stayed] = [0, 0, 0]
  const options = { from: at, to: new Date(at.getTime() + 1) }
  for (const { events, stays } of simulateLifecycle(configuration, objects, options)) {
    if (events[0]?.action === 'delete') deleted++
    else if (events[0]?.action === 'transition') moved++
    else if (stays.some(({ reason }) => reason === 'too-small')) stayed++
  }
  return `${deleted} ${moved} ${stayed}`
}

async function timed(repeat: number, work: () => string): Promise<Round> {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  let digest = ''
  for (let i = 0; i < repeat; i++) digest = work()
  const used = process.cpuUsage(cpu)
  return {
    ms: performance.now() - start,
    cpuMs: (used.user + used.system) / 1000,
    peakRssMb: process.resourceUsage().maxRSS / 1024,
    digest,
  }
}

async function speed(): Promise<LifecycleMeasurement> {
  const count = 100_000
  const [few, many] = [objectsOf(count, 10), objectsOf(count, 1000)]
  const evaluate10 = lifecycleEvaluator(rulesOf(10), { at })
  const evaluate1000 = lifecycleEvaluator(rulesOf(1000), { at })
  const measured = await interleave(
    {
      floor10: () => timed(10, () => readFields(few)),
      ten: () => timed(10, () => countVerdicts(evaluate10, few)),
      floor1000: () => timed(10, () => readFields(many)),
      thousand: () => timed(10, () => countVerdicts(evaluate1000, many)),
    },
    rounds,
    () => {},
  )
  const expected = (rules: number, objects: StoredObject[]) => timed(1, () => simulated(rulesOf(rules), objects))
  return { ...measured, expected10: [await expected(10, few)], expected1000: [await expected(1000, many)] }
}

async function memory(count: number): Promise<LifecycleMeasurement> {
  function* listing(): Generator<StoredObject> {
    for (let i = 0; i < count; i++) {
      yield {
        key: `${prefixOf(i % 1000)}part-${i}`,
        sizeBytes: 200_000 + (i % 1000),
        lastModified: new Date(at.getTime() - (i % 2 === 0 ? 10 : 1000) * day),
        storageClass: 'STANDARD',
      }
    }
  }
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  const found = await wouldAffect(rulesOf(1000), listing(), { at })
  const used = process.cpuUsage(cpu)
  return {
    affected: [
      {
        ms: performance.now() - start,
        cpuMs: (used.user + used.system) / 1000,
        peakRssMb: process.resourceUsage().maxRSS / 1024,
        digest: `${found.scanned.objects} ${found.deletes.objects}`,
      },
    ],
  }
}

const [, , what, count] = process.argv
process.stdout.write(JSON.stringify(what === 'speed' ? await speed() : await memory(Number(count))))
