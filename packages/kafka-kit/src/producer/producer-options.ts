import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { Codec } from '@pipe/kafka-wire'
import { type Compression, codecOf } from './compression'
import { acksOf, type Durability } from './durability'
import { defaultKeyPartitioner, type KeyPartitioner, legacyKeyPartitioner } from './partitioner'
import type { ProducerEvent } from './producer-event'

/** What `kafka.producer()` takes. */
export interface ProducerOptions<D extends Durability = 'quorum'> {
  /** Default `'quorum'`. */
  readonly durability?: D | undefined
  /** Whether the broker drops what it has already. Default `true` with `quorum`; not possible with the others. */
  readonly idempotent?: boolean | undefined
  /**
   * Whether a batch whose answer was lost is sent again when the producer is not idempotent: then it may be stored twice. With `false` such a
   * send rejects at once with an {@link AmbiguousOutcomeError}. Default `true`.
   */
  readonly resendAmbiguous?: boolean | undefined
  /** Default `'none'`. */
  readonly compression?: Compression | undefined
  /** A batch is sent when it holds this many bytes (before compression). Default 65 536. */
  readonly batchBytes?: number | undefined
  /** … or this many messages. Default 10 000. */
  readonly batchRecords?: number | undefined
  /** … or its first message has waited this long. `'0 ms'`: at the end of the turn. Default `'5 ms'`. */
  readonly linger?: Duration | undefined
  /** Largest message in bytes, where the topic contract says nothing. Default 1 048 588, the default of the brokers. */
  readonly maxMessageBytes?: number | undefined
  /** Time from when a message has room and its topic is known to its answer, tries included. Default `'2 minutes'`. */
  readonly deliveryTimeout?: Duration | undefined
  /** Bytes of messages that are not settled. Default 33 554 432. */
  readonly maxBufferedBytes?: number | undefined
  /** Number of messages that are not settled. Default 1 000 000. */
  readonly maxBufferedMessages?: number | undefined
  /** How long a send waits for room, or for the topic to be found. Default `'1 minute'`. */
  readonly maxBlock?: Duration | undefined
  /** How keys choose their partition: `'murmur2'` as nearly all clients do, `'kafkajs-1'` as kafkajs 1.x did, or your own. Default `'murmur2'`. */
  readonly partitioner?: 'murmur2' | 'kafkajs-1' | KeyPartitioner | undefined
  /** Told when partitions change, a topic or the producer id is new, or kafkajs is not the one that the engine knows. */
  readonly onEvent?: ((event: ProducerEvent) => void) | undefined
}

/** The options of a producer with their defaults, durations in milliseconds. */
export interface ResolvedOptions<D extends Durability> {
  readonly durability: D
  readonly isIdempotent: boolean
  readonly resendAmbiguous: boolean
  readonly compression: Compression
  readonly codec: Codec | undefined
  readonly batchBytes: number
  readonly batchRecords: number
  readonly lingerMs: number
  readonly maxMessageBytes: number
  readonly deliveryTimeoutMs: number
  readonly maxBufferedBytes: number
  readonly maxBufferedMessages: number
  readonly maxBlockMs: number
  readonly partitioner: KeyPartitioner
  readonly onEvent: (event: ProducerEvent) => void
}

const optionNames = [
  'durability',
  'idempotent',
  'resendAmbiguous',
  'compression',
  'batchBytes',
  'batchRecords',
  'linger',
  'maxMessageBytes',
  'deliveryTimeout',
  'maxBufferedBytes',
  'maxBufferedMessages',
  'maxBlock',
  'partitioner',
  'onEvent',
]

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`, `PIPE_KAFKA_CODEC`
 */
export function resolveOptions<D extends Durability>(options: ProducerOptions<D>): ResolvedOptions<D> {
  const where = 'kafka.producer'
  checkOptions(where, options, { optional: optionNames })
  const durability = (options.durability ?? 'quorum') as D
  if (!Object.hasOwn(acksOf, durability)) {
    throw new ConfigError(`${where}: there is no durability ${JSON.stringify(durability)}.`, {
      hint: `Choose ${Object.keys(acksOf).join(', ')}.`,
    })
  }
  const isIdempotent = options.idempotent ?? durability === 'quorum'
  if (isIdempotent && durability !== 'quorum') {
    throw new ConfigError(`${where}: an idempotent producer needs durability 'quorum', not ${JSON.stringify(durability)}.`)
  }
  const positive = (name: keyof ProducerOptions<D>, fallback: number): number => {
    const value = (options[name] ?? fallback) as number
    if (Number.isInteger(value) && value >= 1) return value
    throw new ConfigError(`${where}: ${name} must be a whole number of at least 1, not ${value}.`)
  }
  const compression = options.compression ?? 'none'
  return Object.freeze({
    durability,
    isIdempotent,
    resendAmbiguous: options.resendAmbiguous ?? true,
    compression,
    codec: codecOf(where, compression),
    batchBytes: positive('batchBytes', 65_536),
    batchRecords: positive('batchRecords', 10_000),
    lingerMs: durationMs(options.linger ?? '5 ms'),
    maxMessageBytes: positive('maxMessageBytes', 1_048_588),
    deliveryTimeoutMs: durationMs(options.deliveryTimeout ?? '2 minutes'),
    maxBufferedBytes: positive('maxBufferedBytes', 32 * 1024 * 1024),
    maxBufferedMessages: positive('maxBufferedMessages', 1_000_000),
    maxBlockMs: durationMs(options.maxBlock ?? '1 minute'),
    partitioner: partitionerOf(where, options.partitioner ?? 'murmur2'),
    onEvent: options.onEvent ?? (() => undefined),
  })
}

export function partitionerOf(where: string, partitioner: 'murmur2' | 'kafkajs-1' | KeyPartitioner): KeyPartitioner {
  if (typeof partitioner === 'function') return partitioner
  if (partitioner === 'murmur2') return defaultKeyPartitioner
  if (partitioner === 'kafkajs-1') return legacyKeyPartitioner
  throw new ConfigError(`${where}: there is no partitioner ${JSON.stringify(partitioner)}.`, {
    hint: "Choose 'murmur2', 'kafkajs-1' or a function.",
  })
}
