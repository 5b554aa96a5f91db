import type { ColumnMap } from '@pipe/core'
import { KafkaError } from './errors'
import { checkHeaders, type HeaderContract, headerCodecs, headerText, isColumnMap, unknownContract } from './topic-codec'

/** One header as it lies in the log. */
export interface RawHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

/** One header, encoded. Text is written as UTF-8. */
export interface EncodedHeader {
  readonly key: string
  readonly value: Uint8Array | string | null
}

/** Headers of a record without a header contract: a list where a name stands more than once. */
export type HeadersIn = Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>
/** One value of a header. */
export type HeaderValue = string | Uint8Array | null

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

/** Both directions of headers. */
export interface HeadersCodec {
  encode(headers: unknown): readonly EncodedHeader[] | Promise<readonly EncodedHeader[]>
  decode(headers: readonly RawHeader[]): unknown
}

/** Both directions of the headers of a record. */
export function headersCodec(name: string, where: string, contract: HeaderContract | undefined): HeadersCodec {
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
