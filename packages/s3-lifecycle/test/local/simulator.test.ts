// The simulator is told what a listing of the local S3 shows, and must foretell what its listing shows later: over HTTP, on random rules and objects, for 400 days.
// The same in process, for every single action: packages/local/test/s3/lifecycle-simulator.test.ts. `npm run lifecycle-proof` runs both at full length.
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  type StorageClass,
} from '@aws-sdk/client-s3'
import { startLocal, virtualClock } from '@pipe/local'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  expirationHeader,
  type LifecycleConfiguration,
  listBucket,
  type StoredObject,
  simulateLifecycle,
  type Versioning,
} from '../../src/index'
import { configuration, object } from '../random-configuration'

const cases = Number(process.env['LIFECYCLE_WIRE_CASES'] ?? 6)
const seed = Number(process.env['LIFECYCLE_SEED'] ?? 20261128)
const [dayMs, minuteMs] = [86_400_000, 60_000]
const begin = Date.UTC(2026, 0, 1)

interface Case {
  readonly rules: LifecycleConfiguration
  readonly versioning: Versioning
  readonly key: string
  readonly writes: readonly { readonly minute: number; readonly object: StoredObject; readonly isDelete: boolean }[]
  /** Minutes into the day at which the rules are put. */
  readonly from: number
}

const oneCase: fc.Arbitrary<Case> = fc
  .record({
    rules: configuration,
    versioning: fc.constantFrom<Versioning>('unversioned', 'enabled', 'enabled', 'suspended'),
    writes: fc.array(fc.record({ minute: fc.integer({ min: 0, max: 300 * 1440 }), object, isDelete: fc.boolean() }), {
      minLength: 1,
      maxLength: 5,
    }),
    from: fc.integer({ min: 0, max: 1439 }),
  })
  .map(({ writes, ...rest }) => ({
    ...rest,
    key: writes[0]!.object.key,
    writes: rest.versioning === 'unversioned' ? [{ ...writes[0]!, isDelete: false }] : writes,
  }))

// Classes that no put can ask for, and the one that a put need not name.
const storageClassOf = (one: StoredObject) =>
  (one.storageClass === 'EXPRESS_ONEZONE' ? 'STANDARD' : (one.storageClass ?? 'STANDARD')) as StorageClass

const shownOf = (one: {
  readonly versionId?: string | undefined
  readonly isDeleteMarker?: boolean | undefined
  readonly storageClass?: string | undefined
  readonly lastModified: Date
}) => {
  const at = one.lastModified.toISOString().slice(0, 19)
  // Markers of lifecycle have ids of their own: they are known by their time.
  return one.isDeleteMarker ? `marker ${at}` : `${one.versionId} ${one.storageClass} ${at}`
}

it(
  `what the simulator foretells, the local S3 does over HTTP (${cases} cases, seed ${seed})`,
  async () => {
    const local = await startLocal({ clock: virtualClock(new Date(begin).toISOString()) })
    const client = new S3Client({ ...local.aws, maxAttempts: 1 })
    try {
      const all = fc.sample(oneCase, { numRuns: cases, seed }).map((one, i) => ({ ...one, bucket: `case-${i}` }))
      const keep = (Bucket: string, Status: 'Enabled' | 'Suspended') =>
        client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }))
      for (const { bucket: Bucket, versioning } of all) {
        await client.send(new CreateBucketCommand({ Bucket }))
        if (versioning !== 'unversioned') await keep(Bucket, 'Enabled')
      }
      const tags = new Map<string, Readonly<Record<string, string>>>()
      const steps = all
        .flatMap((one) => {
          const writes = [...one.writes].sort((a, b) => a.minute - b.minute)
          return writes.map((write, i) => ({ ...one, ...write, isLast: i === writes.length - 1 }))
        })
        .sort((a, b) => a.minute - b.minute)
      for (const { bucket: Bucket, key: Key, minute, object: one, isDelete, isLast, versioning } of steps) {
        await local.clock.advanceTo(begin + minute * minuteMs)
        // The last version of a suspended bucket has the id null. More of them would replace each other.
        if (isLast && versioning === 'suspended') await keep(Bucket, 'Suspended')
        if (isDelete) {
          await client.send(new DeleteObjectCommand({ Bucket, Key }))
          continue
        }
        const Tagging = new URLSearchParams(one.tags ?? {}).toString()
        const put = {
          Bucket,
          Key,
          Body: Buffer.alloc(one.sizeBytes),
          StorageClass: storageClassOf(one),
          ...(Tagging && { Tagging }),
        }
        const { VersionId = 'null' } = await client.send(new PutObjectCommand(put))
        tags.set(`${Bucket} ${VersionId}`, one.tags ?? {})
      }
      const from = new Map<string, Date>()
      for (const one of [...all].sort((a, b) => a.from - b.from)) {
        await local.clock.advanceTo(begin + 365 * dayMs + one.from * minuteMs)
        const { Rules, TransitionDefaultMinimumObjectSize } = one.rules
        await client.send(
          new PutBucketLifecycleConfigurationCommand({
            Bucket: one.bucket,
            LifecycleConfiguration: { Rules: Rules as never },
            ...(TransitionDefaultMinimumObjectSize && { TransitionDefaultMinimumObjectSize }),
          }),
        )
        from.set(one.bucket, new Date(local.clock.now() + 1))
      }
      const listed = async (bucket: string) => {
        const found: StoredObject[] = []
        for await (const one of listBucket({ bucket, versions: true, client })) {
          found.push({ ...one, tags: tags.get(`${bucket} ${one.versionId}`) })
        }
        return found
      }
      const before = new Map<string, StoredObject[]>()
      for (const { bucket } of all) before.set(bucket, await listed(bucket))
      for (const { bucket, rules } of all) {
        const current = before.get(bucket)!.find((one) => one.isLatest && !one.isDeleteMarker)
        if (!current) continue
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: current.key }))
        expect(head.Expiration, bucket).toBe(expirationHeader(rules, current))
      }
      let changed = 0
      for (const days of [20, 90, 400]) {
        const to = new Date(begin + (366 + days) * dayMs)
        await local.clock.advanceTo(to.getTime() - 1)
        for (const { bucket, rules, versioning } of all) {
          const options = { from: from.get(bucket)!, to, versioning }
          const foretold = [...simulateLifecycle(rules, before.get(bucket)!, options)].flatMap(({ versions }) =>
            versions.map(shownOf),
          )
          const found = (await listed(bucket)).map(shownOf)
          if (found.join() !== before.get(bucket)!.map(shownOf).join()) changed++
          expect(found, `${bucket} after ${days} days: ${JSON.stringify(rules)}`).toEqual(foretold)
        }
      }
      // Most rules do something to most objects, else this would prove little.
      expect(changed).toBeGreaterThan(cases)
    } finally {
      client.destroy()
      await local.close()
    }
  },
  20 * minuteMs,
)
