import type { AthenaClient } from '@aws-sdk/client-athena'
import type { S3Location } from '@pipe/core'
import type { AthenaPrices, Ledger } from './cost'
import type { Poller } from './poller'
import type { OpenStore } from './result/result-object'
import type { Scheduler, SlotLimit } from './scheduler'
import type { WorkgroupSettings } from './workgroup'

/** What all executions of an Athena client share. */
export interface Connection {
  readonly client: AthenaClient
  readonly scheduler: Scheduler
  readonly poller: Poller
  /** Milliseconds before the first look at an execution, and the longest between two. */
  readonly pauses: readonly [number, number]
  readonly workgroup: string
  readonly database: string | undefined
  /** Executions of this client at once. */
  readonly limit: SlotLimit
  readonly ledger: Ledger
  readonly prices: AthenaPrices
  /** Aborts when the client closes. */
  readonly closing: AbortSignal
  /** Where result files go, as the client was told. */
  readonly output: S3Location | undefined
  /** Account that must own the bucket of `output`. */
  readonly expectedBucketOwner: string | undefined
  /** Opens a bucket, to read results from. Absent when the caller gave a client of Athena and none of S3. */
  readonly openStore: OpenStore | undefined
  /** Of the workgroup, read once; `undefined` when they may not be read. */
  workgroupSettings(signal: AbortSignal | undefined): Promise<WorkgroupSettings | undefined>
  /** Tells of work that `close()` waits for. */
  track(work: Promise<unknown>): void
}
