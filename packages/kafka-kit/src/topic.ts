import { type ColumnMap, ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { KafkaError } from './errors'
import {
  checkHeaders,
  type HeaderContract,
  headerCodecs,
  headerText,
  type InputOf,
  isColumnMap,
  type KeyContract,
  keyCodec,
  type OutputOf,
  type PartCodec,
  type ValueContract,
  valueCodec,
} from './topic-codec'

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
  readonly partitions: number
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
}

/** One header as it lies in the log. */
export interface RawHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

/** A record as it lies in the log. */
export interface RawRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  /** In the order of the log; a name may stand twice. */
  readonly headers: readonly RawHeader[]
}

/** One header, encoded. Text is written as UTF-8. */
export interface EncodedHeader {
  readonly key: string
  readonly value: Uint8Array | string | null
}

/** A record, encoded. Text is written as UTF-8. */
export interface EncodedRecord {
  readonly key: Uint8Array | string | null
  readonly value: Uint8Array | string | null
  readonly headers: readonly EncodedHeader[]
}

/** Headers of a record without a header contract: a list where a name stands more than once. */
export type HeadersIn = Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>
/** One value of a header. */
export type HeaderValue = string | Uint8Array | null

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
>(name: string, options: TopicOptions<Key, Value, Headers, C>): TopicOf<Key, Value, Headers, C> {
  const where = `defineTopic(${JSON.stringify(name)})`
  checkOptions(where, options, {
    required: ['value', 'partitions', 'replicationFactor'],
    optional: ['key', 'headers', 'minInSyncReplicas', 'retention', 'retentionBytes', 'cleanup', 'maxMessageBytes', 'config'],
  })
  checkTopicName(name)
  const { partitions, replicationFactor, minInSyncReplicas = 1, retention, retentionBytes, maxMessageBytes } = options
  const cleanup: Cleanup = options.cleanup ?? 'delete'
  checkCount(where, 'partitions', partitions)
  checkCount(where, 'replicationFactor', replicationFactor, 32_767)
  checkCount(where, 'minInSyncReplicas', minInSyncReplicas)
  if (minInSyncReplicas > replicationFactor) {
    throw new ConfigError(
      `${where}: minInSyncReplicas ${minInSyncReplicas} is more than replicationFactor ${replicationFactor}.`,
      {
        hint: 'Nothing could ever be confirmed. 3 replicas with 2 in sync survive the loss of one broker.',
      },
    )
  }
  if (!(cleanup in cleanupPolicies)) throw new ConfigError(`${where}: there is no cleanup ${JSON.stringify(cleanup)}.`)
  if (retentionBytes !== undefined) checkCount(where, 'retentionBytes', retentionBytes, Number.MAX_SAFE_INTEGER)
  if (maxMessageBytes !== undefined) checkCount(where, 'maxMessageBytes', maxMessageBytes)
  const retentionMs =
    retention === undefined ? undefined : retention === 'forever' ? Number.POSITIVE_INFINITY : Math.round(durationMs(retention))
  const config: Record<string, string> = {
    ...(options.minInSyncReplicas === undefined ? {} : { 'min.insync.replicas': String(minInSyncReplicas) }),
    ...(options.cleanup === undefined ? {} : { 'cleanup.policy': cleanupPolicies[cleanup] }),
    ...(retentionMs === undefined
      ? {}
      : { 'retention.ms': retentionMs === Number.POSITIVE_INFINITY ? '-1' : String(retentionMs) }),
    ...(retentionBytes === undefined ? {} : { 'retention.bytes': String(retentionBytes) }),
    ...(maxMessageBytes === undefined ? {} : { 'max.message.bytes': String(maxMessageBytes) }),
  }
  for (const [key, value] of Object.entries(options.config ?? {})) {
    if (ownConfigs.has(key)) throw new ConfigError(`${where}: set "${key}" by the option ${ownConfigs.get(key)}, not in config.`)
    if (typeof value !== 'string') throw new ConfigError(`${where}: config "${key}" must be a text.`)
    config[key] = value
  }
  const codec = recordCodec(name, where, options, cleanup !== 'delete')
  return Object.freeze({
    kind: 'topic' as const,
    name,
    partitions,
    replicationFactor,
    minInSyncReplicas,
    cleanup,
    retentionMs,
    retentionBytes,
    maxMessageBytes,
    config: Object.freeze(config),
    ...codec,
  }) as unknown as TopicOf<Key, Value, Headers, C>
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

function unknownContract(where: string, part: string, known: string): never {
  throw new ConfigError(`${where}: ${part} is no contract.`, { hint: `Give ${known}.` })
}

interface LooseRecord {
  readonly key?: unknown
  readonly value: unknown
  readonly headers?: unknown
}

function recordCodec(
  name: string,
  where: string,
  options: TopicOptions<KeyContract, ValueContract, HeaderContract, Cleanup>,
  isCompacted: boolean,
): { encode(record: LooseRecord): EncodedRecord | Promise<EncodedRecord>; decode(record: RawRecord): unknown } {
  const key = options.key === undefined ? rawKeyCodec(name) : keyCodec(`The key of a record of ${name}`, options.key)
  if (!key) unknownContract(where, 'key', 'a column that is no array, map or struct, or a Standard Schema')
  const value = valueCodec(`The value of a record of ${name}`, name, options.value)
  if (!value) unknownContract(where, 'value', 'a Standard Schema, a table, a column, or columns by name')
  const headers = headersCodec(name, where, options.headers)

  return {
    encode(record) {
      if (typeof record !== 'object' || record === null) {
        throw new KafkaError('PIPE_KAFKA_VALUE', `A record of ${name} must be an object with a value.`)
      }
      const encodedKey = key.encode(record.key)
      if (isCompacted && encodedKey === null) {
        throw new KafkaError(
          'PIPE_KAFKA_VALUE',
          `${name} is compacted, so a record without a key would be refused by the broker.`,
        )
      }
      const isTombstone = isCompacted && record.value === null
      return assemble(encodedKey, isTombstone ? null : value.encode(record.value), headers.encode(record.headers), (k, v, h) => ({
        key: k as EncodedRecord['key'],
        value: v as EncodedRecord['value'],
        headers: h as EncodedRecord['headers'],
      }))
    },
    decode(record) {
      const isTombstone = isCompacted && record.value === null
      return assemble(
        key.decode(record.key),
        isTombstone ? null : value.decode(record.value),
        headers.decode(record.headers),
        (k, v, h) => ({ key: k, value: v, headers: h }),
      )
    },
  }
}

/** Puts three parts together, in the same turn unless one of them is a promise. */
function assemble<T>(
  key: unknown,
  value: unknown,
  headers: unknown,
  make: (k: unknown, v: unknown, h: unknown) => T,
): T | Promise<T> {
  if (key instanceof Promise || value instanceof Promise || headers instanceof Promise) {
    return Promise.all([key, value, headers]).then(([k, v, h]) => make(k, v, h))
  }
  return make(key, value, headers)
}

/** Keys without a contract: text or bytes as they are. */
function rawKeyCodec(name: string): PartCodec {
  return {
    encode(key) {
      if (key === undefined || key === null) return null
      if (typeof key === 'string' || key instanceof Uint8Array) return key
      throw new KafkaError('PIPE_KAFKA_VALUE', `The key of a record of ${name} is a ${typeof key}.`, {
        hint: 'Give a text, a Uint8Array or null, or define the key of the topic.',
      })
    },
    decode: (bytes) => bytes,
  }
}

const noHeaders: readonly EncodedHeader[] = []

/**
 * Headers as they go over the wire. A list of values becomes one header each.
 *
 * @throws {@link KafkaError} `PIPE_KAFKA_VALUE` for a value that is no text, bytes or null.
 */
export function encodeHeaders(where: string, headers: HeadersIn | undefined): readonly EncodedHeader[] {
  if (headers === undefined) return noHeaders
  const encoded: EncodedHeader[] = []
  for (const key of Object.keys(headers)) {
    const given = headers[key] as HeaderValue | readonly HeaderValue[]
    for (const value of Array.isArray(given) ? (given as readonly HeaderValue[]) : [given as HeaderValue]) {
      if (value !== null && typeof value !== 'string' && !(value instanceof Uint8Array)) {
        throw new KafkaError('PIPE_KAFKA_VALUE', `The header ${JSON.stringify(key)} of ${where} is a ${typeof value}.`, {
          hint: 'Give a text, a Uint8Array, null, or a list of these.',
        })
      }
      encoded.push({ key, value })
    }
  }
  return encoded
}

interface HeadersCodec {
  encode(headers: unknown): readonly EncodedHeader[] | Promise<readonly EncodedHeader[]>
  decode(headers: readonly RawHeader[]): unknown
}

function headersCodec(name: string, where: string, contract: HeaderContract | undefined): HeadersCodec {
  const part = `The headers of a record of ${name}`
  if (contract === undefined) {
    return {
      encode: (headers) => encodeHeaders(`a record of ${name}`, headers as HeadersIn | undefined),
      decode: (headers) => headers,
    }
  }
  if (isColumnMap(contract)) return columnHeaders(name, contract)
  if (typeof (contract as { '~standard'?: unknown })['~standard'] !== 'object') {
    unknownContract(where, 'headers', 'columns by name, or a Standard Schema of an object of texts')
  }
  return {
    encode(headers) {
      const checked = checkHeaders(part, contract, headers, false)
      const write = () => encodeHeaders(`a record of ${name}`, headers as HeadersIn)
      return checked instanceof Promise ? checked.then(write) : write()
    },
    decode(headers) {
      // The last one of a name wins, as in an object literal.
      return checkHeaders(
        part,
        contract,
        Object.fromEntries(headers.map(({ key, value }) => [key, headerText(part, value)])),
        true,
      )
    },
  }
}

function columnHeaders(name: string, columns: ColumnMap): HeadersCodec {
  const codecs = headerCodecs(`The header of a record of ${name}`, columns)
  return {
    encode(headers) {
      const given = (headers ?? {}) as Readonly<Record<string, unknown>>
      for (const key of Object.keys(given)) {
        if (!codecs.has(key)) {
          throw new KafkaError(
            'PIPE_KAFKA_VALUE',
            `${name} has no header ${JSON.stringify(key)} in its contract. It was not sent.`,
          )
        }
      }
      // A header without a value is left out: a missing header and a null one read the same.
      return [...codecs]
        .map(([key, codec]) => ({
          key,
          value: codec.encode(Object.hasOwn(given, key) ? given[key] : null) as EncodedHeader['value'],
        }))
        .filter(({ value }) => value !== null)
    },
    decode(headers) {
      // Headers that are not in the contract were set by someone on the way (tracing, dead-letter origin): they do no harm.
      const last = new Map(headers.map(({ key, value }) => [key, value]))
      return Object.fromEntries([...codecs].map(([key, codec]) => [key, codec.decode(last.get(key) ?? null)]))
    },
  }
}
