import { KafkaError } from './errors'
import { type EncodedHeader, headersCodec, type RawHeader } from './header-codec'
import {
  type HeaderContract,
  type KeyContract,
  keyCodec,
  mayWait,
  type PartCodec,
  unknownContract,
  type ValueContract,
  valueCodec,
} from './topic-codec'

/** A record as it lies in the log. */
export interface RawRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  /** In the order of the log; a name may stand twice. */
  readonly headers: readonly RawHeader[]
}

/** A record, encoded. Text is written as UTF-8. */
export interface EncodedRecord {
  readonly key: Uint8Array | string | null
  readonly value: Uint8Array | string | null
  readonly headers: readonly EncodedHeader[]
}

interface LooseRecord {
  readonly key?: unknown
  readonly value: unknown
  readonly headers?: unknown
}

/** Both directions of the records of a topic. @throws ConfigError for a contract of no known kind. */
export function recordCodec(
  name: string,
  where: string,
  contract: {
    readonly key?: KeyContract | undefined
    readonly value: ValueContract
    readonly headers?: HeaderContract | undefined
  },
  isCompacted: boolean,
): { encode(record: LooseRecord): EncodedRecord | Promise<EncodedRecord>; decode(record: RawRecord): unknown } {
  const key = contract.key === undefined ? rawKeyCodec(name) : keyCodec(`The key of a record of ${name}`, contract.key)
  if (!key) unknownContract(where, 'key', 'a column that is no array, map or struct, or a Standard Schema')
  const value = valueCodec(`The value of a record of ${name}`, name, contract.value)
  if (!value) unknownContract(where, 'value', 'a Standard Schema, a table, a column, or columns by name')
  const headers = headersCodec(name, where, contract.headers)
  const canWait = [contract.key, contract.value, contract.headers].some((part) => part !== undefined && mayWait(part))

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
      const k = key.decode(record.key)
      const v = isCompacted && record.value === null ? null : value.decode(record.value)
      const h = headers.decode(record.headers)
      // Consumers come here for each record: nothing is made that is not needed.
      if (!canWait) return { key: k, value: v, headers: h }
      return assemble(k, v, h, (ready, its, own) => ({ key: ready, value: its, headers: own }))
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
