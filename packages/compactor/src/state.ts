import { createHash, randomUUID } from 'node:crypto'
import type { ObjectStore, Window } from '@pipe/core'
import type { Compaction } from './define'
import { stateError } from './errors'

/** A source object as planned. */
export interface PlannedInput {
  /** Relative to the source folder. */
  readonly key: string
  /** With quotes. Exactly this version is compacted. */
  readonly etag: string
  /** Bytes as stored. */
  readonly size: number
  /** Rows that the producer stamped (`pipe-rows`); absent when there is no stamp or it was not read. */
  readonly rows?: number | undefined
}

/**
 * What is done with the inputs of a plan: `append` compacts them beside what is there, `recompact` in place of it, `quarantine` puts their
 * rows aside.
 */
export type BatchMode = 'append' | 'recompact' | 'quarantine'

/** What one sequence number of a window compacts. Written once (create-only), so that all attempts do identical work. */
export interface PlanRecord {
  readonly version: 1
  readonly table: string
  readonly window: string
  readonly seq: number
  /** Absent: `append`. */
  readonly mode?: BatchMode | undefined
  /** Sequence numbers of the window whose outputs this plan replaces. */
  readonly replaces?: readonly number[] | undefined
  readonly inputs: readonly PlannedInput[]
}

/** A source object as committed. */
export interface CommittedInput extends PlannedInput {
  /** Rows that had to be accounted for: lines of the file, or the stamped number when that is larger. */
  readonly rows: number
  /** How many of them went to quarantine. */
  readonly quarantinedRows: number
}

/** A file of compacted rows. */
export interface CommittedOutput {
  /** Relative to the target folder. */
  readonly key: string
  readonly etag: string
  readonly bytes: number
  readonly rows: number
}

/** The commit of one sequence number of a window: the only thing that makes its outputs count. Written once, never changed. */
export interface CommitRecord {
  readonly version: 1
  readonly table: string
  readonly window: string
  readonly seq: number
  /** `aborted`: the plan could not be carried out; it consumed nothing and wrote nothing. */
  readonly outcome: 'committed' | 'aborted'
  readonly attempt: string
  readonly engine: string
  /** Why it was aborted. */
  readonly reason?: string | undefined
  /** What was done with the inputs. Absent: `append`. */
  readonly mode?: BatchMode | undefined
  /** Sequence numbers of the window that count no longer, as their inputs are among these. */
  readonly replaces?: readonly number[] | undefined
  readonly inputs: readonly CommittedInput[]
  readonly outputs: readonly CommittedOutput[]
  /** The file of unreadable rows, when there are any. */
  readonly quarantine?: { readonly key: string; readonly rows: number } | undefined
  readonly inputRows: number
  readonly outputRows: number
  readonly quarantinedRows: number
  /** Rows left out because others are equal in the columns of `dedupe`. Absent: none. */
  readonly duplicateRows?: number | undefined
}

/**
 * The commit of a roll-up: the committed files of one partition made into one. It replaces batches; what is committed later stands beside
 * it until the next roll-up.
 */
export interface RollUpRecord {
  readonly version: 1
  readonly table: string
  /** Id of the partition: of the first window in it. */
  readonly partition: string
  readonly seq: number
  readonly attempt: string
  readonly engine: string
  /** Every batch whose rows are in the outputs: `20261124T1530Z-0`. */
  readonly replaces: readonly string[]
  readonly outputs: readonly CommittedOutput[]
  readonly rows: number
}

/** One try at carrying out a plan, with places of its own: a later attempt never meets the remains of an earlier one. */
export interface Attempt {
  readonly id: string
  readonly seq: number
  readonly window: Window
  /** Where its output stays for good, relative to the target: `data/20261124T1530Z/0-1f3c…/`. */
  readonly dataPrefix: string
  /** Where it puts what only it needs. */
  readonly stagePrefix: string
  readonly quarantineKey: string
  /** Start of the names of the tables it makes for itself. */
  readonly scratchName: string
}

/** Keys of the state and the data of a compaction, relative to its target folder. */
export interface StateKeys {
  /** Every plan, commit and marker of the window and of later ones stands behind this key in a listing. */
  commitsFrom(window: string): string
  settledFrom(window: string): string
  readonly commits: string
  readonly settled: string
  plan(window: string, seq: number): string
  commit(window: string, seq: number): string
  attempt(attempt: Pick<Attempt, 'id' | 'window'> & { readonly seq: number | string }): string
  readonly attempts: string
  /** Commit of a roll-up; it stands beside the commits of the partition's first window. */
  rollUp(partition: string, seq: number): string
  lease(window: string): string
  /** The list of a partition's files, for `publish: 'manifest'`. */
  manifest(partitionPath: string): string
  /** `digest` of the inputs of the whole chain up to `seq`; see {@link inputsDigest}. */
  settledMarker(window: string, seq: number, digest: string, published: boolean): string
}

/** Keys of a compaction's state: below `_pipe/<table>/`, which Athena never reads as data. */
export function stateKeys(compaction: Compaction): StateKeys {
  const root = `_pipe/${compaction.table.name}/`
  return {
    commits: `${root}commit/`,
    settled: `${root}settled/`,
    commitsFrom: (window) => `${root}commit/${window}`,
    settledFrom: (window) => `${root}settled/${window}`,
    plan: (window, seq) => `${root}plan/${window}/${seq}.json`,
    commit: (window, seq) => `${root}commit/${window}/${seq}.json`,
    attempts: `${root}attempt/`,
    attempt: ({ id, seq, window }) => `${root}attempt/${window.id}/${seq}-${id}.json`,
    rollUp: (partition, seq) => `${root}commit/${partition}/r${seq}.json`,
    lease: (window) => `${root}lease/${window}.json`,
    manifest: (partitionPath) => `manifest/${partitionPath}files`,
    settledMarker: (window, seq, digest, published) =>
      `${root}settled/${window}/${seq}-${digest}-${published ? 'published' : 'unpublished'}`,
  }
}

/** An id that no other attempt has: twelve random hexadecimal digits, so two processes can never share a place. */
export function randomId(): string {
  return randomUUID().replaceAll('-', '').slice(0, 12)
}

/** A new attempt. `label`: in names, instead of the number. */
export function newAttempt(compaction: Compaction, window: Window, id: string, number: number, label?: string): Attempt {
  const seq = label ?? number
  return {
    id,
    seq: number,
    window,
    dataPrefix: `data/${window.id}/${seq}-${id}/`,
    stagePrefix: `stage/${window.id}/${seq}-${id}/`,
    quarantineKey: `_pipe/${compaction.table.name}/quarantine/${window.id}/${seq}-${id}.ndjson`,
    scratchName: `stg_${compaction.table.name}_${window.id}_${seq}_${id}`.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_'),
  }
}

/** What an attempt leaves behind when it dies. Written before anything else of it. */
export interface AttemptRecord {
  readonly version: 1
  readonly engine: string
  readonly data: string
  readonly stage: string
  readonly scratch: string
  readonly quarantine: string
}

/** Window, sequence number (`r0` for a roll-up) and id of the key of an attempt; `undefined` for a key that is none. */
export function parseAttemptKey(key: string): { readonly window: string; readonly seq: string; readonly id: string } | undefined {
  const match = /\/attempt\/(\d{8}T\d{4}Z)\/(r?\d+)-([0-9a-f]{12})\.json$/.exec(key)
  return match ? { window: match[1]!, seq: match[2]!, id: match[3]! } : undefined
}

/** Partition and number of a roll-up's key; `undefined` for a key that is none. */
export function parseRollUpKey(key: string): { readonly window: string; readonly seq: number } | undefined {
  const match = /\/commit\/(\d{8}T\d{4}Z)\/r(\d+)\.json$/.exec(key)
  return match ? { window: match[1]!, seq: Number(match[2]) } : undefined
}

/** The window and sequence number of a commit's key; `undefined` for a key that is none. */
export function parseCommitKey(key: string): { readonly window: string; readonly seq: number } | undefined {
  const match = /\/commit\/(\d{8}T\d{4}Z)\/(\d+)\.json$/.exec(key)
  return match ? { window: match[1]!, seq: Number(match[2]) } : undefined
}

/** What the key of a marker says. */
export interface SettledMarker {
  readonly window: string
  readonly seq: number
  readonly digest: string
  readonly published: boolean
}

/** Reads the key of a marker; `undefined` for a key that is none. */
export function parseSettledKey(key: string): SettledMarker | undefined {
  const match = /\/settled\/(\d{8}T\d{4}Z)\/(\d+)-([0-9a-f]{32})-(published|unpublished)$/.exec(key)
  return match ? { window: match[1]!, seq: Number(match[2]), digest: match[3]!, published: match[4] === 'published' } : undefined
}

/**
 * Digest of a set of source objects (key and ETag), 32 hexadecimal digits. It stands in the key of a marker, so that one listing tells
 * that a window holds nothing new, without reading its commits.
 */
export function inputsDigest(inputs: Iterable<{ readonly key: string; readonly etag: string }>): string {
  const lines = Array.from(inputs, ({ key, etag }) => JSON.stringify([key, etag])).sort()
  const hash = createHash('sha256')
  for (const line of lines) hash.update(line).update('\n')
  return hash.digest('hex').slice(0, 32)
}

/** Reads a plan. @throws {@link PipeError} `PIPE_COMPACT_STATE` when it is not there or not a plan of this version. */
export function readPlan(store: ObjectStore, key: string, signal?: AbortSignal): Promise<PlanRecord> {
  return readRecord<PlanRecord>(store, key, ['window', 'seq', 'inputs'], signal)
}

/** Reads a commit. @throws {@link PipeError} `PIPE_COMPACT_STATE` when it is not there or not a commit of this version. */
export function readCommit(store: ObjectStore, key: string, signal?: AbortSignal): Promise<CommitRecord> {
  return readRecord<CommitRecord>(store, key, ['window', 'seq', 'outcome', 'inputs', 'outputs'], signal)
}

/** Reads a roll-up. @throws {@link PipeError} `PIPE_COMPACT_STATE` when it is not there or not a roll-up of this version. */
export function readRollUp(store: ObjectStore, key: string, signal?: AbortSignal): Promise<RollUpRecord> {
  return readRecord<RollUpRecord>(store, key, ['partition', 'seq', 'replaces', 'outputs'], signal)
}

/** Reads the record of an attempt. @throws {@link PipeError} `PIPE_COMPACT_STATE` when it is no such record. */
export function readAttempt(store: ObjectStore, key: string, signal?: AbortSignal): Promise<AttemptRecord> {
  return readRecord<AttemptRecord>(store, key, ['data', 'stage', 'scratch'], signal)
}

async function readRecord<R extends { readonly version: 1 }>(
  store: ObjectStore,
  key: string,
  fields: readonly string[],
  signal: AbortSignal | undefined,
): Promise<R> {
  const object = await store.get(key, signal ? { signal } : {})
  if (!object) throw stateError(store.uri(key), 'was there a moment ago and is gone', { retryable: true })
  let record: unknown
  try {
    record = JSON.parse(await object.text())
  } catch (cause) {
    throw stateError(store.uri(key), 'is not JSON', { cause })
  }
  const { version, ...rest } = (typeof record === 'object' && record !== null ? record : {}) as Record<string, unknown>
  if (version !== 1) throw stateError(store.uri(key), `has version ${JSON.stringify(version)}, not 1`)
  const missing = fields.filter((field) => rest[field] === undefined)
  if (missing.length > 0) throw stateError(store.uri(key), `lacks ${missing.join(', ')}`)
  return record as R
}
