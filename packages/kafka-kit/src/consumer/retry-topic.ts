import type { Duration } from '@pipe/core'
import type { BatchRecord } from '@pipe/kafka-wire'
import type { RawHeader } from '../header-codec'
import { deadLetterHeaders, errorHeaders } from './dead-letter'

/** Where failed records wait for another try, so that their partition goes on without them. */
export interface RetryTopicOptions {
  /**
   * Name of the topic; it belongs to one group and one source topic. It needs as many partitions as the source, `cleanup: 'delete'`, a retention
   * that is longer than anything may wait, and room for messages that are 2 KiB larger.
   */
  readonly topic: string
  /** How often a record comes back before it is a dead letter. Default 5. */
  readonly rounds?: number | undefined
  /** Pause before the first time; doubled for each one after it, ± 20 %. Default `'1 minute'`. */
  readonly backoff?: Duration | undefined
  /** Longest pause. Default `'1 hour'`. */
  readonly maxBackoff?: Duration | undefined
  /** Records that may wait in one partition; beyond that, those that fail are tried again in place. Default 10 000. */
  readonly maxRecords?: number | undefined
  /** … and their bytes, which are kept in memory. Default 16 MiB. */
  readonly maxBytes?: number | undefined
}

/** A record that waits, as it stood in its partition, and how it fares. */
export interface ParkedState {
  readonly record: BatchRecord
  /** Failures since it was parked; 0: it has never been tried, it waits behind another one of its key. */
  readonly round: number
  /** Calls of the handler so far. */
  readonly attempts: number
  /** Milliseconds since the epoch: not to be tried before. */
  readonly dueAtMs: number
}

/** An entry of a retry topic: the newest one about a record counts. */
export type RetryEntry =
  | { readonly kind: 'parked'; readonly state: ParkedState }
  /** The record at this offset of the source was handled, or is a dead letter. */
  | { readonly kind: 'resolved'; readonly offset: bigint }

/** Headers of the entries of a retry topic, beside `pipe-origin-*` and `pipe-error-*` of {@link deadLetterHeaders}. */
export const retryHeaders: {
  readonly kind: string
  readonly round: string
  readonly dueAt: string
  readonly ownHeaders: string
} = {
  /** `parked`, `resolved`, `claimed` (a new owner of the partition). */
  kind: 'pipe-retry',
  round: 'pipe-retry-round',
  /** Milliseconds since the epoch. */
  dueAt: 'pipe-retry-at',
  /** How many of the headers, from the first on, are those of the record itself. */
  ownHeaders: 'pipe-retry-own-headers',
}

/** Whose entries they are. */
export interface RetryOrigin {
  readonly group: string
  readonly topic: string
  readonly partition: number
}

/** What an entry is written from. */
export interface EntryToWrite {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RawHeader[]
  readonly timestampMs: number
}

function text(headers: Readonly<Record<string, string>>): readonly RawHeader[] {
  return Object.entries(headers).map(([key, value]) => ({ key, value: Buffer.from(value) }))
}

function originHeaders({ group, topic, partition }: RetryOrigin, offset: bigint): Record<string, string> {
  return {
    [deadLetterHeaders.group]: group,
    [deadLetterHeaders.originTopic]: topic,
    [deadLetterHeaders.originPartition]: String(partition),
    [deadLetterHeaders.originOffset]: String(offset),
  }
}

/** The entry of a record that waits: its key, its value and its headers are the bytes of the log, ours follow. */
export function parkedEntry(origin: RetryOrigin, state: ParkedState, error: unknown, nowMs: number): EntryToWrite {
  const { record, round, attempts, dueAtMs } = state
  const { key, value, headers, offset, timestampMs } = record
  const added = {
    [retryHeaders.kind]: 'parked',
    [retryHeaders.ownHeaders]: String(headers.length),
    [retryHeaders.round]: String(round),
    [retryHeaders.dueAt]: String(Math.round(dueAtMs)),
    ...originHeaders(origin, offset),
    [deadLetterHeaders.originTimestamp]: String(timestampMs),
    [deadLetterHeaders.attempts]: String(attempts),
    ...(error === undefined ? {} : errorHeaders(error)),
  }
  return { key, value, headers: [...headers, ...text(added)], timestampMs: nowMs }
}

/** The entry of a record that waits no longer. */
export function resolvedEntry(origin: RetryOrigin, offset: bigint, key: Uint8Array | null, nowMs: number): EntryToWrite {
  const headers = text({ [retryHeaders.kind]: 'resolved', ...originHeaders(origin, offset) })
  return { key, value: null, headers, timestampMs: nowMs }
}

/** The first entry of a new owner. */
export function claimEntry(origin: RetryOrigin, nowMs: number): EntryToWrite {
  const headers = text({ [retryHeaders.kind]: 'claimed', [deadLetterHeaders.group]: origin.group })
  return { key: null, value: null, headers, timestampMs: nowMs }
}

/** Reads an entry; `undefined` for a claim, and for what is none of this origin. */
export function readEntry(origin: RetryOrigin, entry: BatchRecord): RetryEntry | undefined {
  // From the end: headers of the record itself may have any name.
  const find = (name: string) => entry.headers.findLast(({ key }) => key === name)?.value?.toString()
  const kind = find(retryHeaders.kind)
  if (kind !== 'parked' && kind !== 'resolved') return undefined
  const isOurs =
    find(deadLetterHeaders.group) === origin.group &&
    find(deadLetterHeaders.originTopic) === origin.topic &&
    find(deadLetterHeaders.originPartition) === String(origin.partition)
  const offset = wholeNumber(find(deadLetterHeaders.originOffset))
  if (!isOurs || offset === undefined) return undefined
  if (kind === 'resolved') return { kind, offset: BigInt(offset) }
  const numbers = [retryHeaders.ownHeaders, retryHeaders.round, retryHeaders.dueAt, deadLetterHeaders.attempts].map((name) =>
    wholeNumber(find(name)),
  )
  const [own, round, dueAt, attempts] = numbers
  const timestamp = find(deadLetterHeaders.originTimestamp)
  if (numbers.includes(undefined) || timestamp === undefined || !/^-?\d{1,16}$/.test(timestamp)) return undefined
  const record: BatchRecord = {
    offset: BigInt(offset),
    timestampMs: Number(timestamp),
    key: entry.key,
    value: entry.value,
    headers: entry.headers.slice(0, Number(own)),
  }
  return { kind, state: { record, round: Number(round), attempts: Number(attempts), dueAtMs: Number(dueAt) } }
}

function wholeNumber(value: string | undefined): string | undefined {
  return value !== undefined && /^\d{1,19}$/.test(value) ? value : undefined
}
