import { type Duration, type ObjectStore, PipeError, type Table } from '@pipe/core'
import { KafkaError } from '../errors'
import { partitionKey } from '../leader-request'
import { endsBefore, isFull, type Roll, windowOfFile } from './file-boundary'
import type { LogPiece, PartitionLog } from './partition-log'
import type { SinkEvent } from './sink-event'
import type { OpenSinkFile, SinkFile } from './sink-file'
import type { SinkFormat } from './sink-format'
import { type Claim, offsetText, type SinkLedger } from './sink-ledger'
import type { SinkMemory } from './sink-memory'

/** What a group remembers of a partition: the offset, and which claim it stands for. */
export interface SinkCommit {
  readonly offset: bigint
  readonly metadata: string
}

/** Settings of {@link createPartitionSink}. */
export interface PartitionSinkSettings {
  readonly topic: string
  readonly partition: number
  readonly table: Table
  readonly format: SinkFormat
  readonly roll: Roll
  readonly outOfRange: 'fail' | 'skip'
  readonly from: 'earliest' | 'latest'
  readonly log: PartitionLog
  readonly store: ObjectStore
  readonly ledger: SinkLedger
  readonly open: OpenSinkFile
  readonly memory: SinkMemory
  readonly onEvent: (event: SinkEvent) => void
  /** What the group has; `undefined` when it has nothing. Asked once, when the last claimed file is not there. */
  readonly committed: (signal: AbortSignal) => Promise<SinkCommit | undefined>
  /** A file stands: everything below the offset is stored. */
  readonly stored: (commit: SinkCommit) => void
}

/** Brings the records of one partition into files. */
export interface PartitionSink {
  /** Next offset to be read; `undefined` before it has begun. */
  readonly position: bigint | undefined
  /** Everything below it is stored. */
  readonly stored: bigint | undefined
  readonly end: bigint | undefined
  readonly openRecords: number
  /**
   * Reads on once: at most one answer of the leader.
   *
   * @returns whether anything came. After an error, call `restart` before the next one.
   */
  step(signal: AbortSignal): Promise<boolean>
  /** Closes the open file where it stands. */
  flush(signal: AbortSignal): Promise<void>
  /** Drops what is open. The next step begins with what S3 holds. */
  restart(): void
}

/** The text by which the group remembers a claim. */
export function commitMetadata(first: bigint): string {
  return `pipe-sink ${offsetText(first)}`
}

/** Makes the sink of a partition. Does nothing by itself. */
export function createPartitionSink(settings: PartitionSinkSettings): PartitionSink {
  const { topic, partition, table, roll, log, store, ledger, memory, onEvent } = settings
  const name = partitionKey({ topic, partition })
  let position: bigint | undefined
  let stored: bigint | undefined
  let end: bigint | undefined
  let file: SinkFile | undefined
  /** Where the next file begins. */
  let nextFirst = 0n
  let windowBefore: Date | undefined
  /** A claim that is not written yet, or not known to be: the next file is exactly this one. */
  let bound: Claim | undefined
  const owner = { heldBytes: () => file?.heldBytes ?? 0 }

  async function begin(signal: AbortSignal): Promise<void> {
    const state = await log.state(signal)
    end = state.end
    const first = settings.from === 'earliest' ? state.start : state.end
    const started = await ledger.begin({ first, topicId: state.topicId }, signal)
    if (started.topicId !== state.topicId) {
      throw new KafkaError(
        'PIPE_KAFKA_TOPIC',
        `${name} is not the topic whose records are stored at ${store.location}: it was created again.`,
        {
          hint: 'Its offsets begin anew, so that they name other records. Give the new topic a target of its own.',
          details: { topic, partition },
        },
      )
    }
    const claim = await ledger.latest(state.end, signal)
    windowBefore = claim?.window
    bound = undefined
    nextFirst = claim ? claim.last + 1n : started.first
    if (claim && !(await isWritten(claim, signal))) {
      bound = claim
      nextFirst = claim.first
    }
    position = nextFirst
    stored = nextFirst
    memory.join(owner)
  }

  async function isWritten(claim: Claim, signal: AbortSignal): Promise<boolean> {
    const key = claim.rows > 0 ? claim.key : quarantineKey(claim.key)
    if (claim.rows + claim.quarantined > 0 && (await store.head(key, { signal }))) return true
    // It may be compacted and deleted since. Only what this kit itself committed for this very claim counts, never an offset that was reset.
    const commit = await settings.committed(signal)
    return commit?.offset === claim.last + 1n && commit.metadata === commitMetadata(claim.first)
  }

  async function step(signal: AbortSignal): Promise<boolean> {
    if (position === undefined) await begin(signal)
    if (memory.isFull(owner)) {
      await memory.room(100)
      return true
    }
    const from = position!
    const piece = await readAt(from, signal)
    if (!piece) return true
    end = piece.end
    for (const record of piece.records) {
      const isBoundary = bound
        ? record.offset > bound.last
        : file !== undefined && endsBefore(roll, file.window, record.timestampMs)
      if (isBoundary && !(await close(signal))) return true
      file ??= openFile(record.timestampMs)
      await file.add(record)
      position = record.offset + 1n
      const isDone = bound ? record.offset >= bound.last : isFull(roll, file)
      if (isDone && !(await close(signal))) return true
    }
    position = piece.next
    // A range that is bound ends where it was claimed to, however long that takes.
    if (bound ? position > bound.last : isOverdue() || (file && memory.mustGive(owner))) await close(signal)
    return piece.next > from
  }

  function isOverdue(): boolean {
    return file !== undefined && roll.maxWaitMs !== undefined && Date.now() - file.openedAtMs >= roll.maxWaitMs
  }

  async function readAt(offset: bigint, signal: AbortSignal): Promise<LogPiece | undefined> {
    try {
      return await log.read(offset, signal)
    } catch (error) {
      if (!(error instanceof KafkaError) || error.details.errorCode !== 1) throw error
      const state = await log.state(signal)
      // A leader that was just elected may not know yet how far it may answer.
      if (offset >= state.start && offset <= state.end) throw retryable(error)
      if (offset < state.start && settings.outOfRange === 'skip') {
        onEvent({ kind: 'skipped', partition, from: offset, to: state.start })
        position = state.start
        if (bound && position > bound.last) await close(signal)
        return undefined
      }
      const why =
        offset < state.start
          ? `The log begins at ${state.start}: ${state.start - offset} offsets were removed by retention before they were stored`
          : `The log ends at ${state.end}: an unclean election lost its end`
      throw new KafkaError('PIPE_KAFKA_OFFSET', `${name} has no offset ${offset}. ${why}.`, {
        hint: "Nothing was skipped. Set outOfRange to 'skip' to go on where the log begins, and keep records longer than the sink may stand still.",
        details: { topic, partition, errorCode: 1 },
      })
    }
  }

  function retryable(error: KafkaError): KafkaError {
    return new KafkaError(error.code, error.message, { retryable: true, details: error.details, cause: error })
  }

  function openFile(timestampMs: number): SinkFile {
    return settings.open(nextFirst, bound?.window ?? windowOfFile(roll.eventTime, timestampMs, windowBefore))
  }

  /** @returns `false` when the range begins anew: `position` went back. */
  async function close(signal: AbortSignal): Promise<boolean> {
    const closing = file
    const wanted = bound ?? claimOf(closing!)
    const claim = bound ?? (await ledger.claim(wanted, signal))
    if (!bound && (claim.last !== closing!.last || claim.key !== keyOf(closing!))) {
      // What is in memory is not what was claimed.
      onEvent({ kind: 'claimed-elsewhere', partition, first: claim.first, last: claim.last })
      bound = claim
      file = undefined
      position = nextFirst
      memory.changed()
      return false
    }
    // Who claims the next range has written this one. It may have been compacted and deleted since: it must not come back.
    const isBehind = claim !== wanted && (await ledger.goesOnAfter(claim.first, signal))
    const outcome = closing && !isBehind ? await write(closing, claim, signal) : 'exists'
    file = undefined
    memory.changed()
    bound = undefined
    windowBefore = claim.window
    nextFirst = claim.last + 1n
    stored = nextFirst
    settings.stored({ offset: nextFirst, metadata: commitMetadata(claim.first) })
    onEvent({
      kind: 'file',
      outcome,
      partition,
      uri: closing && closing.rows > 0 ? store.uri(claim.key) : undefined,
      first: claim.first,
      last: claim.last,
      rows: closing?.rows ?? 0,
      quarantined: closing?.quarantined ?? 0,
    })
    return true
  }

  async function write(closing: SinkFile, claim: Claim, signal: AbortSignal): Promise<'created' | 'exists'> {
    const misfits = closing.encodeQuarantine()
    let outcome: 'created' | 'exists' = 'exists'
    // First, as the object with the rows is what says that the file is done.
    if (misfits) {
      const put = await store.putIfAbsent(quarantineKey(claim.key), misfits, { contentType: 'application/x-ndjson', signal })
      outcome = put.outcome
    }
    const encoded = await closing.encode(claim.format, signal)
    if (encoded) {
      const { body, metadata, contentType } = encoded
      outcome = (await store.putIfAbsent(claim.key, body, { metadata, contentType, signal })).outcome
    }
    return outcome
  }

  function keyOf({ first, last, window }: SinkFile): string {
    return sinkKey(table, { topic, partition, window, every: roll.eventTime, first, last, format: settings.format })
  }

  function claimOf(closing: SinkFile): Claim {
    const { first, last, window, rows, quarantined } = closing
    return { first, last, window, key: keyOf(closing), format: settings.format, rows, quarantined }
  }

  return {
    get position() {
      return position
    },
    get stored() {
      return stored
    },
    get end() {
      return end
    },
    get openRecords() {
      return file?.records ?? 0
    },
    step,
    async flush(signal) {
      // A range that is bound ends where it was claimed to.
      if (file && !bound) await close(signal)
    },
    restart() {
      file = undefined
      position = undefined
      bound = undefined
      memory.leave(owner)
    },
  }
}

/**
 * Key of the file of a range, relative to the target:
 * `dt=2026-11-24/hour=15/orders-0-20261124T1530Z-0000000000000000000-0000000000000000099.ndjson.gz`.
 */
export function sinkKey(
  table: Table,
  file: {
    readonly topic: string
    readonly partition: number
    readonly window: Date
    readonly every: Duration
    readonly first: bigint
    readonly last: bigint
    readonly format: SinkFormat
  },
): string {
  const { topic, partition, window, first, last, format } = file
  const id = `${window.toISOString().slice(0, 16).replaceAll(/[-:]/g, '')}Z`
  return `${table.partitions.pathOf(window)}${topic}-${partition}-${id}-${offsetText(first)}-${offsetText(last)}.${format}`
}

/** Where the records of a file are that are no rows of the table. */
export function quarantineKey(key: string): string {
  return `_quarantine/${key.replace(/\.(ndjson\.gz|ndjson|parquet)$/, '')}.ndjson`
}

/** Whether work may begin again after an error. */
export function mayPass(error: unknown): error is PipeError {
  return PipeError.isInstance(error) && error.retryable
}
