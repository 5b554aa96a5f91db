// The local S3 and the simulator of @pipe/s3-lifecycle know nothing of each other. Both are let loose on the same rules and objects, and must agree on every
// action and on what is left. `LIFECYCLE_CASES=10000` is the whole proof: npm run lifecycle-proof.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import {
  type LifecycleConfiguration,
  type LifecycleRule,
  type StoredObject,
  simulateLifecycle,
  simulateUploads,
} from '../../../s3-lifecycle/src/index'
import { configuration, object, versions } from '../../../s3-lifecycle/test/random-configuration'
import type { BucketIndex } from '../../src/s3/bucket-index'
import { dayMs } from '../../src/s3/lifecycle/calendar'
import type { LifecycleDocument, RuleDocument } from '../../src/s3/lifecycle/document'
import { checkLifecycle } from '../../src/s3/lifecycle/rejections'
import { runDay } from '../../src/s3/lifecycle/run-day'
import { idOf, isMarker, type VersionRecord } from '../../src/s3/object-record'
import { openStore } from '../../src/s3/store'

const cases = Number(process.env['LIFECYCLE_CASES'] ?? 30)
const seed = Number(process.env['LIFECYCLE_SEED'] ?? Date.now() % 2 ** 31)
const days = 400
const timeout = 30 * 60_000

const dir = mkdtempSync(join(tmpdir(), 'pipe-lifecycle-'))
const store = openStore(dir, () => 0)
afterAll(() => {
  store.close()
  rmSync(dir, { recursive: true, force: true })
})

/** The form in which the local S3 keeps what it is sent as XML. */
function documentOf({ Rules, TransitionDefaultMinimumObjectSize }: LifecycleConfiguration): LifecycleDocument {
  return {
    Rule: Rules.map(ruleOf),
    minimumSize: TransitionDefaultMinimumObjectSize ?? 'all_storage_classes_128K',
  }
}

function ruleOf({ Transitions, NoncurrentVersionTransitions, Filter, ...rest }: LifecycleRule): RuleDocument {
  const { And, ...filter } = Filter ?? {}
  const { Tags, ...and } = And ?? {}
  const dated = ({ Date: date, ...step }: { readonly Date?: Date | undefined }) => ({
    ...step,
    ...(date && { Date: date.toISOString() }),
  })
  return JSON.parse(
    JSON.stringify({
      ...rest,
      ...(rest.Expiration && { Expiration: dated(rest.Expiration) }),
      Filter: { ...filter, ...(And && { And: { ...and, Tag: Tags } }) },
      Transition: Transitions?.map(dated),
      NoncurrentVersionTransition: NoncurrentVersionTransitions,
    }),
  ) as RuleDocument
}

let bodies = 0

function load(index: BucketIndex, list: readonly StoredObject[]): void {
  for (const one of [...list].reverse()) {
    const common = {
      key: one.key,
      lastModified: one.lastModified.getTime(),
      ...(one.versionId !== undefined && one.versionId !== 'null' && { versionId: one.versionId }),
      ...(one.replicationStatus && { replication: one.replicationStatus }),
    }
    if (one.isDeleteMarker) index.mark({ ...common, isMarker: true })
    else {
      index.put({
        ...common,
        size: one.sizeBytes,
        etag: '"x"',
        body: ++bodies,
        storageClass: one.storageClass ?? 'STANDARD',
        metadata: {},
        content: {},
        ...(one.tags && { tags: one.tags }),
        ...(one.lockedUntil && { retention: { mode: 'COMPLIANCE' as const, until: one.lockedUntil.getTime() } }),
        ...(one.hasLegalHold && { legalHold: true as const }),
      })
    }
  }
}

const kinds = {
  'add-delete-marker': 'mark',
  delete: 'delete',
  'remove-delete-marker': 'delete',
  transition: 'transition',
} as const

// A replaced version goes with the marker that takes its id; the local S3 counts that as the one action that it is.
const isAction = ({ why }: { why: string }) => !why.startsWith('the delete marker has the version id null')

/** What the local S3 does midnight by midnight, as text. */
function execute(index: BucketIndex, from: Date, to: Date): { actions: string[]; left: string[] } {
  const actions: string[] = []
  // Markers of lifecycle have names of their own there; the simulator names them by their day.
  const nameOf = (version: VersionRecord) =>
    isMarker(version) && version.versionId?.length === 32
      ? `marker-${new Date(version.lastModified).toISOString().slice(0, 10)}`
      : idOf(version)
  // From day to day that it names itself, as the midnights of the runtime do: a day that it forgot would be missing.
  for (let day = Math.ceil(from.getTime() / dayMs); day * dayMs < to.getTime(); ) {
    const { nextDay } = runDay(store, index, day, ({ version, action }) => {
      const date = new Date(day * dayMs).toISOString().slice(0, 10)
      // Of several rules that would take a marker away nobody can tell which did.
      const rule = isMarker(version) && version.noncurrentSince === undefined ? 'any' : action.rule
      actions.push(`${date} ${version.key} ${nameOf(version)} ${action.kind} ${action.to ?? ''} ${rule}`)
    })
    day = Math.max(day + 1, nextDay)
  }
  const left: string[] = []
  for (const cursor = index.seekAll(''); cursor.key() !== undefined; cursor.next()) {
    index.versionsAt(cursor.key()!).forEach((version, place) => {
      const since = version.noncurrentSince === undefined ? '' : new Date(version.noncurrentSince).toISOString()
      const what = isMarker(version) ? 'marker' : version.storageClass
      left.push(
        `${version.key} ${nameOf(version)} ${what} ${place === 0} ${new Date(version.lastModified).toISOString()} ${since}`,
      )
    })
  }
  return { actions: actions.sort(), left: left.sort() }
}

function simulate(
  rules: LifecycleConfiguration,
  list: readonly StoredObject[],
  options: Parameters<typeof simulateLifecycle>[2],
): { actions: string[]; left: string[] } {
  const actions: string[] = []
  const left: string[] = []
  for (const { key, events, versions: remaining } of simulateLifecycle(rules, list, options)) {
    for (const { date, action, to, rule, versionId } of events.filter(isAction)) {
      const by = action === 'remove-delete-marker' ? 'any' : rule
      actions.push(`${date.toISOString().slice(0, 10)} ${key} ${versionId} ${kinds[action]} ${to ?? ''} ${by}`)
    }
    for (const one of remaining) {
      const what = one.isDeleteMarker ? 'marker' : one.storageClass
      left.push(
        `${key} ${one.versionId} ${what} ${one.isLatest} ${one.lastModified.toISOString()} ${one.noncurrentSince?.toISOString() ?? ''}`,
      )
    }
  }
  return { actions: actions.sort(), left: left.sort() }
}

let buckets = 0

function compare(
  rules: LifecycleConfiguration,
  list: readonly StoredObject[],
  from: Date,
  versioning: 'unversioned' | 'enabled' | 'suspended',
): void {
  const document = documentOf(rules)
  // What the random configurations hold, both must take.
  checkLifecycle(document)
  const index = store.createBucket(`bucket-${++buckets}`)
  try {
    if (versioning !== 'unversioned') index.configure('versioning', versioning === 'enabled' ? 'Enabled' : 'Suspended')
    index.configure('lifecycle', document)
    load(index, list)
    const to = new Date(from.getTime() + days * dayMs)
    expect(execute(index, from, to)).toEqual(simulate(rules, list, { from, to, versioning }))
  } finally {
    store.deleteBucket(index.name)
  }
}

const start = fc
  .tuple(fc.integer({ min: 0, max: 365 }), fc.constantFrom(0, 1, dayMs / 2))
  .map(([day, into]) => new Date(Date.UTC(2026, 0, 1) + day * dayMs + into))

const locked = versions.chain((list) =>
  fc
    .array(fc.record({ until: fc.option(fc.integer({ min: 0, max: 500 })), hold: fc.integer({ min: 0, max: 5 }) }), {
      minLength: list.length,
      maxLength: list.length,
    })
    .map((locks) =>
      list.map((one, i): StoredObject => {
        const { until, hold } = locks[i]!
        if (one.isDeleteMarker) return one
        return {
          ...one,
          ...(until !== null && { lockedUntil: new Date(Date.UTC(2026, 0, 1) + until * dayMs + 3_600_000) }),
          ...(hold === 0 && { hasLegalHold: true }),
        }
      }),
    ),
)

describe('the local S3 and the simulator agree on every action and on what is left', () => {
  it(`for objects of a bucket without versions (${cases} cases)`, { timeout }, () => {
    fc.assert(
      fc.property(configuration, object, start, (rules, one, from) => compare(rules, [one], from, 'unversioned')),
      { numRuns: cases, seed },
    )
  })

  it(`for versions and delete markers (${cases} cases each, also suspended)`, { timeout }, () => {
    for (const versioning of ['enabled', 'suspended'] as const) {
      fc.assert(
        fc.property(configuration, versions, start, (rules, list, from) => compare(rules, list, from, versioning)),
        { numRuns: cases, seed },
      )
    }
  })

  it(`for versions under retention and legal hold (${cases} cases)`, { timeout }, () => {
    fc.assert(
      fc.property(configuration, locked, start, (rules, list, from) => compare(rules, list, from, 'enabled')),
      { numRuns: cases, seed },
    )
  })

  it('on the uploads that are aborted', { timeout }, () => {
    const rule = fc.record({
      prefix: fc.constantFrom('', 'a', 'a/', 'b'),
      days: fc.integer({ min: 1, max: 30 }),
      on: fc.boolean(),
    })
    const upload = fc.record({ key: fc.constantFrom('a', 'a/1', 'b', 'c'), minutes: fc.integer({ min: 0, max: 60 * 24 * 60 }) })
    fc.assert(
      fc.property(
        fc.array(rule, { minLength: 1, maxLength: 4 }),
        fc.array(upload, { maxLength: 6 }),
        start,
        (some, list, from) => {
          const Rules = some.map(
            ({ prefix, days: DaysAfterInitiation, on }, i): LifecycleRule => ({
              ID: `r${i}`,
              Status: on ? 'Enabled' : 'Disabled',
              Filter: { Prefix: prefix },
              AbortIncompleteMultipartUpload: { DaysAfterInitiation },
            }),
          )
          const uploads = list.map(({ key, minutes }, i) => ({
            key,
            uploadId: `u${i}`,
            initiated: new Date(Date.UTC(2026, 0, 1) + minutes * 60_000),
          }))
          const to = new Date(from.getTime() + 60 * dayMs)
          const index = store.createBucket(`bucket-${++buckets}`)
          index.configure('lifecycle', documentOf({ Rules }))
          for (const { key, uploadId, initiated } of uploads) {
            const headers = { storageClass: 'STANDARD', metadata: {}, content: {} }
            index.beginUpload({ uploadId, key, initiated: initiated.getTime(), checksumType: 'FULL_OBJECT', ...headers })
          }
          const aborted = new Map<string, string>()
          for (let day = Math.ceil(from.getTime() / dayMs); day * dayMs < to.getTime(); day++) {
            const before = [...index.uploads.keys()]
            runDay(store, index, day)
            for (const id of before) if (!index.uploads.has(id)) aborted.set(id, new Date(day * dayMs).toISOString())
          }
          store.deleteBucket(index.name)
          const expected = [...simulateUploads({ Rules }, uploads, { from, to })].flatMap(({ upload: one, abortedAt }) =>
            abortedAt ? [[one.uploadId, abortedAt.toISOString()]] : [],
          )
          expect([...aborted].sort()).toEqual(expected.sort())
        },
      ),
      { numRuns: Math.ceil(cases / 4), seed },
    )
  })
})
