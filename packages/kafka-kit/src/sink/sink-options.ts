import {
  ConfigError,
  createObjectStore,
  type Duration,
  durationMs,
  type ObjectStoreOptions,
  parseLocation,
  type RowOf,
  type S3Location,
  type Table,
  windowLengthMs,
} from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { Kafka } from '../connect'
import type { AnyTopic, ConsumedRecord } from '../consumer/consumed-record'
import type { OutputRecord } from '../topic'
import type { Roll } from './file-boundary'
import type { SinkEvent } from './sink-event'
import { type SinkFormat, sinkFormats } from './sink-format'

/** Where files end: at whichever comes first. */
export interface RollOptions {
  /** Default 100 000. */
  readonly records?: number | undefined
  /** Bytes of the rows as NDJSON, before compression. Default 32 MiB. */
  readonly bytes?: number | undefined
  /**
   * A window of record time (the timestamp of Kafka): whole minutes that divide a day. A file ends before the first record of a later
   * window, and is named by its own. Default `'5 minutes'`.
   */
  readonly eventTime?: Duration | undefined
  /**
   * A file is closed at the latest so long after its first record was read, also when nothing follows. Default: it stays open until a
   * record follows, so that ends of files depend on the log alone; still exactly once either way.
   */
  readonly maxWait?: Duration | undefined
}

/** What {@link createKafkaToS3} takes. */
export interface KafkaToS3Options<T extends AnyTopic, Tb extends Table> {
  /** The cluster: {@link createKafka}. */
  readonly kafka: Kafka
  /** The contract of the topic that is stored. */
  readonly topic: T
  /** The consumer group that shares the partitions among workers and shows the lag. */
  readonly group: string
  /** Where the files go. A target belongs to one sink of a topic: a second group needs another one. */
  readonly target: S3Location
  /** The contract of the rows. */
  readonly table: Tb
  /** Default `'ndjson.gz'`. */
  readonly format?: SinkFormat | undefined
  /** When a file ends and the next one begins. */
  readonly roll?: RollOptions | undefined
  /** Makes the row of a record: one each, depending on the record alone. Default: its value. What it throws sends the record to quarantine. */
  readonly row?: ((record: ConsumedRecord<OutputRecord<T>>) => RowOf<Tb>) | undefined
  /** Default: one made from the standard environment. */
  readonly client?: ObjectStoreOptions['client']
  /** Account that must own the bucket. */
  readonly expectedBucketOwner?: string | undefined
  /** Where a partition begins of which nothing is stored yet. Default `'earliest'`. */
  readonly from?: 'earliest' | 'latest' | undefined
  /** When retention took records before they were stored: stop with an error, or go on behind them. Default `'fail'`. */
  readonly outOfRange?: 'fail' | 'skip' | undefined
  /** What open files may take together; beyond it the largest one is closed before its time. Default 256 MiB. */
  readonly maxBufferedBytes?: number | undefined
  /** After so long without a sign of life, another worker gets this one's partitions. Default `'30 seconds'`. */
  readonly sessionTimeout?: Duration | undefined
  /** Told of each file, and of what happens between workers: {@link SinkEvent}. */
  readonly onEvent?: ((event: SinkEvent) => void) | undefined
}

/** Options, checked and as numbers. */
export interface SinkSettings {
  readonly topic: AnyTopic
  readonly group: string
  readonly table: Table
  readonly format: SinkFormat
  readonly roll: Roll
  readonly row: (record: unknown) => unknown
  readonly store: ReturnType<typeof createObjectStore>
  readonly from: 'earliest' | 'latest'
  readonly outOfRange: 'fail' | 'skip'
  readonly maxBufferedBytes: number
  readonly sessionTimeoutMs: number
  readonly onEvent: (event: SinkEvent) => void
}

/** Checks the options of {@link createKafkaToS3}. @throws {@link ConfigError} */
export function sinkSettings<T extends AnyTopic, Tb extends Table>(options: KafkaToS3Options<T, Tb>): SinkSettings {
  const where = 'createKafkaToS3'
  checkOptions(where, options, {
    required: ['kafka', 'topic', 'group', 'target', 'table'],
    optional: [
      'format',
      'roll',
      'row',
      'client',
      'expectedBucketOwner',
      'from',
      'outOfRange',
      'maxBufferedBytes',
      'sessionTimeout',
      'onEvent',
    ],
  })
  const { topic, group, target, table, format = 'ndjson.gz', roll = {}, client, expectedBucketOwner } = options
  const { from = 'earliest', outOfRange = 'fail', maxBufferedBytes = 256 * 1024 * 1024, sessionTimeout = '30 seconds' } = options
  checkOptions(`${where}: roll`, roll, { optional: ['records', 'bytes', 'eventTime', 'maxWait'] })
  const { records = 100_000, bytes = 32 * 1024 * 1024, eventTime = '5 minutes', maxWait } = roll
  if (topic?.kind !== 'topic') throw new ConfigError(`${where}: topic must be made by defineTopic.`)
  if (table?.kind !== 'table') throw new ConfigError(`${where}: table must be made by defineTable.`)
  if (typeof group !== 'string' || group === '') throw new ConfigError(`${where} needs the name of a group.`)
  parseLocation(target)
  if (topic.cleanup !== 'delete') {
    throw new ConfigError(`${where}: ${topic.name} is compacted (${topic.cleanup}), so exactly once cannot be kept.`, {
      hint: 'Compaction removes records that were not read yet. Store a topic with cleanup delete.',
    })
  }
  checkOneOf(where, 'format', format, sinkFormats)
  checkOneOf(where, 'from', from, ['earliest', 'latest'])
  checkOneOf(where, 'outOfRange', outOfRange, ['fail', 'skip'])
  checkCount(where, 'roll.records', records)
  checkCount(where, 'roll.bytes', bytes)
  checkCount(where, 'maxBufferedBytes', maxBufferedBytes)
  windowLengthMs(eventTime)
  if (bytes > maxBufferedBytes)
    throw new ConfigError(`${where}: roll.bytes ${bytes} is more than maxBufferedBytes ${maxBufferedBytes}.`)
  const row = options.row as ((record: unknown) => unknown) | undefined
  return {
    topic,
    group,
    table,
    format,
    roll: { records, bytes, eventTime, maxWaitMs: maxWait === undefined ? undefined : durationMs(maxWait) },
    row: row ?? ((record) => (record as { readonly value: unknown }).value),
    store: createObjectStore({
      location: target,
      ...(client === undefined ? {} : { client }),
      ...(expectedBucketOwner === undefined ? {} : { expectedBucketOwner }),
    }),
    from,
    outOfRange,
    maxBufferedBytes,
    sessionTimeoutMs: durationMs(sessionTimeout),
    onEvent: options.onEvent ?? (() => undefined),
  }
}

function checkCount(where: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new ConfigError(`${where}: ${name} must be a whole number from 1, not ${value}.`)
}

function checkOneOf(where: string, name: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) {
    throw new ConfigError(`${where}: there is no ${name} ${JSON.stringify(value)}.`, { hint: `Known: ${known.join(', ')}.` })
  }
}
