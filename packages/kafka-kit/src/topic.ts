import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { HeadersIn, RawHeader } from './header-codec'
import { checkServerless, type ServerlessConfig, serverlessReplicas } from './msk-serverless'
import { type EncodedRecord, type RawRecord, recordCodec } from './record-codec'
import type { HeaderContract, InputOf, KeyContract, OutputOf, ValueContract } from './topic-codec'

/** What happens to old records: deleted by age and size, or compacted to the newest one of each key. */
export type Cleanup = 'delete' | 'compact' | 'compact-and-delete'

/** What {@link defineTopic} takes. */
export interface TopicOptions<
  Key extends KeyContract,
  Value extends ValueContract,
  Headers extends HeaderContract,
  CleanupKind extends Cleanup,
> {
  /** A column (written as its text; `column.binary()` as its bytes) or a Standard Schema of texts. Without one, keys are raw bytes or text. */
  readonly key?: Key | undefined
  /**
   * A Standard Schema, a table, or columns by name: written as JSON. `column.string()`: the text itself, `column.binary()`: the bytes
   * themselves.
   */
  readonly value: Value
  /** Columns by name (written as text), or a Standard Schema of an object of texts. Without one, any header may be set. */
  readonly headers?: Headers | undefined
  /** Number of partitions, at least 1. It can be raised later, never lowered; keys then move. */
  readonly partitions: number
  /** Copies of each partition, at most the number of brokers. */
  readonly replicationFactor: number
  /** In-sync replicas that must have a record before `quorum` confirms it. At most the replication factor. Default 1. */
  readonly minInSyncReplicas?: number | undefined
  /** How long records are kept; `'forever'` without end. Default: the broker's (7 days unless it was changed). */
  readonly retention?: Duration | 'forever' | undefined
  /** Bytes that a partition keeps at most. Default: the broker's (no limit unless it was changed). */
  readonly retentionBytes?: number | undefined
  /** Default `'delete'`. */
  readonly cleanup?: CleanupKind | undefined
  /** Largest record batch in bytes. Default: the broker's (1 048 588 unless it was changed). */
  readonly maxMessageBytes?: number | undefined
  /** Other topic configs by their Kafka name. */
  readonly config?: Readonly<Record<string, string>> | undefined
  /** Where it will live. Default `'kafka'`. See {@link ServerlessTopicOptions}. */
  readonly platform?: 'kafka' | undefined
}

/**
 * What {@link defineTopic} takes for MSK Serverless: without what that does not let one set. Replicas are three, the brokers' settings are its
 * own, a message has at most 8 MiB.
 */
export interface ServerlessTopicOptions<
  Key extends KeyContract,
  Value extends ValueContract,
  Headers extends HeaderContract,
  CleanupKind extends Cleanup,
> extends Omit<
    TopicOptions<Key, Value, Headers, CleanupKind>,
    'replicationFactor' | 'minInSyncReplicas' | 'config' | 'platform'
  > {
  /** MSK Serverless. */
  readonly platform: 'msk-serverless'
  /** Not to be set: replicas are three. */
  readonly replicationFactor?: undefined
  /** Not to be set: the brokers decide. */
  readonly minInSyncReplicas?: undefined
  /** The topic configs that MSK Serverless lets one set, by their Kafka name. */
  readonly config?: Readonly<Partial<Record<ServerlessConfig, string>>> | undefined
}

/** What a producer gives: `key` may be left out where the topic has no key contract. */
export type RecordIn<Key, Value, Headers> = {
  readonly value: Value
} & (undefined extends Key ? { readonly key?: Key } : { readonly key: Key }) &
  (undefined extends Headers ? { readonly headers?: Headers } : { readonly headers: Headers })

/** What a consumer gets. */
export interface RecordOut<Key, Value, Headers> {
  readonly key: Key
  readonly value: Value
  readonly headers: Headers
}

/**
 * A topic contract: what its records are, and how the cluster keeps them. A value; nothing is created by it.
 *
 * `Input` is the record that a producer gives, `Output` the one that a consumer gets.
 */
export interface Topic<in Input = never, out Output = unknown> {
  readonly kind: 'topic'
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly minInSyncReplicas: number
  readonly cleanup: Cleanup
  /** Milliseconds; `Infinity` for `'forever'`; `undefined` = the broker's default. */
  readonly retentionMs: number | undefined
  readonly retentionBytes: number | undefined
  readonly maxMessageBytes: number | undefined
  /** The topic configs that the contract asks for, by their Kafka name. What it does not name is none of its business. */
  readonly config: Readonly<Record<string, string>>
  /**
   * Checks a record against the contract and encodes it. Returns a promise only where a Standard Schema validates asynchronously.
   *
   * @throws {@link KafkaError} `PIPE_KAFKA_VALUE` naming the part and the path.
   */
  encode(record: Input): EncodedRecord | Promise<EncodedRecord>
  /**
   * Decodes and checks a record of the log. Returns a promise only where a Standard Schema validates asynchronously.
   *
   * @throws {@link KafkaError} `PIPE_KAFKA_DECODE` naming the part and the path.
   */
  decode(record: RawRecord): Output | Promise<Output>
}

/** The record that a producer gives for a topic. */
export type InputRecord<T> = T extends Topic<infer Input, unknown> ? Input : never
/** The record that a consumer gets from a topic. */
export type OutputRecord<T> = T extends Topic<never, infer Output> ? Output : never

type NoKeyIn = string | Uint8Array | null | undefined
type Tombstone<C extends Cleanup> = C extends 'delete' ? never : null

/** The topic of some options. */
export type TopicOf<
  Key extends KeyContract,
  Value extends ValueContract,
  Headers extends HeaderContract,
  C extends Cleanup,
> = Topic<
  RecordIn<
    KeyContract extends Key ? NoKeyIn : InputOf<Key>,
    InputOf<Value> | Tombstone<C>,
    HeaderContract extends Headers ? HeadersIn | undefined : InputOf<Headers>
  >,
  RecordOut<
    KeyContract extends Key ? Uint8Array | null : OutputOf<Key>,
    OutputOf<Value> | Tombstone<C>,
    HeaderContract extends Headers ? readonly RawHeader[] : OutputOf<Headers>
  >
>

/**
 * Defines a topic contract. Pure: `planTopics` and `applyTopics` bring a cluster in line with it.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` or `PIPE_KAFKA_TOPIC` for a bad name, numbers that contradict each other, or a contract of no known kind.
 * @see Topic names: letters, digits, `.`, `_`, `-`, at most 249 (org.apache.kafka.common.internals.Topic).
 * @example
 * ```ts
 * const orders = defineTopic('orders', {
 *   key: column.string(),
 *   value: { id: column.string(), total: column.double() },
 *   partitions: 6,
 *   replicationFactor: 3,
 *   minInSyncReplicas: 2,
 *   retention: '7 days',
 * })
 * ```
 */
export function defineTopic<
  Value extends ValueContract,
  Key extends KeyContract = KeyContract,
  Headers extends HeaderContract = HeaderContract,
  C extends Cleanup = 'delete',
>(
  name: string,
  options: TopicOptions<Key, Value, Headers, C> | ServerlessTopicOptions<Key, Value, Headers, C>,
): TopicOf<Key, Value, Headers, C> {
  const where = `defineTopic(${JSON.stringify(name)})`
  const isServerless = options.platform === 'msk-serverless'
  if (!isServerless && options.platform !== undefined && options.platform !== 'kafka') {
    throw new ConfigError(`${where}: there is no platform ${JSON.stringify(options.platform)}.`, {
      hint: "Known: 'kafka', 'msk-serverless'.",
    })
  }
  const replicaOptions = ['replicationFactor', 'minInSyncReplicas']
  checkOptions(where, options, {
    required: ['value', 'partitions', ...(isServerless ? [] : ['replicationFactor'])],
    optional: [
      ...['key', 'headers', 'retention', 'retentionBytes', 'cleanup', 'maxMessageBytes', 'config', 'platform'],
      ...(isServerless ? [] : replicaOptions),
    ],
  })
  checkTopicName(name)
  const { partitions, retentionBytes, maxMessageBytes } = options
  const cleanup: Cleanup = options.cleanup ?? 'delete'
  checkCount(where, 'partitions', partitions)
  if (!(cleanup in cleanupPolicies)) throw new ConfigError(`${where}: there is no cleanup ${JSON.stringify(cleanup)}.`)
  if (retentionBytes !== undefined) checkCount(where, 'retentionBytes', retentionBytes, Number.MAX_SAFE_INTEGER)
  if (maxMessageBytes !== undefined) checkCount(where, 'maxMessageBytes', maxMessageBytes)
  const replicas = isServerless ? serverlessReplicas : replicasOf(where, options)
  const retentionMs = retentionOf(options.retention)
  const config = Object.freeze({
    ...(options.minInSyncReplicas === undefined ? {} : { 'min.insync.replicas': String(options.minInSyncReplicas) }),
    ...(options.cleanup === undefined ? {} : { 'cleanup.policy': cleanupPolicies[cleanup] }),
    ...(retentionMs === undefined
      ? {}
      : { 'retention.ms': retentionMs === Number.POSITIVE_INFINITY ? '-1' : String(retentionMs) }),
    ...(retentionBytes === undefined ? {} : { 'retention.bytes': String(retentionBytes) }),
    ...(maxMessageBytes === undefined ? {} : { 'max.message.bytes': String(maxMessageBytes) }),
    ...otherConfigs(where, options.config ?? {}),
  })
  if (isServerless) checkServerless(where, [{ name, partitions, replicationFactor: replicas.replicationFactor, config }])
  const codec = recordCodec(name, where, options, cleanup !== 'delete')
  return Object.freeze({
    kind: 'topic' as const,
    name,
    partitions,
    ...replicas,
    cleanup,
    retentionMs,
    retentionBytes,
    maxMessageBytes,
    config,
    ...codec,
  }) as unknown as TopicOf<Key, Value, Headers, C>
}

function replicasOf(
  where: string,
  {
    replicationFactor,
    minInSyncReplicas = 1,
  }: { replicationFactor?: number | undefined; minInSyncReplicas?: number | undefined },
): { readonly replicationFactor: number; readonly minInSyncReplicas: number } {
  checkCount(where, 'replicationFactor', replicationFactor!, 32_767)
  checkCount(where, 'minInSyncReplicas', minInSyncReplicas)
  if (minInSyncReplicas > replicationFactor!) {
    throw new ConfigError(
      `${where}: minInSyncReplicas ${minInSyncReplicas} is more than replicationFactor ${replicationFactor}.`,
      { hint: 'Nothing could ever be confirmed. 3 replicas with 2 in sync survive the loss of one broker.' },
    )
  }
  return { replicationFactor: replicationFactor!, minInSyncReplicas }
}

function retentionOf(retention: Duration | 'forever' | undefined): number | undefined {
  if (retention === undefined) return undefined
  return retention === 'forever' ? Number.POSITIVE_INFINITY : Math.round(durationMs(retention))
}

function otherConfigs(where: string, given: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const config: Record<string, string> = {}
  for (const [key, value] of Object.entries(given)) {
    if (ownConfigs.has(key)) throw new ConfigError(`${where}: set "${key}" by the option ${ownConfigs.get(key)}, not in config.`)
    if (typeof value !== 'string') throw new ConfigError(`${where}: config "${key}" must be a text.`)
    config[key] = value
  }
  return config
}

const cleanupPolicies: Readonly<Record<Cleanup, string>> = {
  delete: 'delete',
  compact: 'compact',
  'compact-and-delete': 'compact,delete',
}

const ownConfigs: ReadonlyMap<string, string> = new Map([
  ['min.insync.replicas', 'minInSyncReplicas'],
  ['cleanup.policy', 'cleanup'],
  ['retention.ms', 'retention'],
  ['retention.bytes', 'retentionBytes'],
  ['max.message.bytes', 'maxMessageBytes'],
])

function checkCount(where: string, what: string, value: number, max = 2 ** 31 - 1): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new ConfigError(`${where}: ${what} must be a whole number of at least 1, not ${value}.`)
  }
}

/**
 * Refuses what Kafka refuses as the name of a topic.
 *
 * @throws {@link ConfigError} `PIPE_KAFKA_TOPIC`
 */
export function checkTopicName(name: string): void {
  if (typeof name === 'string' && /^[\w.-]{1,249}$/.test(name) && name !== '.' && name !== '..') return
  throw new ConfigError(`${JSON.stringify(name)} is no name of a topic.`, {
    code: 'PIPE_KAFKA_TOPIC',
    hint: 'Letters, digits, ".", "_" and "-", at most 249 of them.',
  })
}
