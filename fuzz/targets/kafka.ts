import * as wire from '@pipe/kafka-wire'
import {
  type Api,
  builtInCodecs,
  decodeRecordBatch,
  encodeCompressedBatch,
  encodeRecordBatch,
  splitRecordBatches,
  WireError,
} from '@pipe/kafka-wire'
import { randomOf } from '../../faults/random'
import { createFrameSplitter, FrameError } from '../../packages/local/src/kafka/wire/frames'
import { type FuzzTarget, isA, mustHold, refusedBy } from '../target'

type AnyApi = Api<Record<string, unknown>, Record<string, unknown>>

const apis = Object.values(wire).filter(
  (one): one is AnyApi & typeof one => typeof one === 'object' && 'decodeRequest' in one,
) as AnyApi[]
const orWireError = refusedBy(isA(WireError))
const maxUnpackedBytes = 1024 * 1024

/** API, version, body: an input of the message targets. */
function messageOf(input: Buffer): { readonly api: AnyApi; readonly version: number; readonly body: Buffer } | undefined {
  const api = apis[(input[0] ?? 0) % apis.length]
  if (api === undefined || input.length < 2) return undefined
  const version = api.minVersion + (input[1]! % (api.maxVersion - api.minVersion + 1))
  return { api, version, body: input.subarray(2) }
}

/** Bodies that decode, a few for each version of each API: bytes of small numbers, which make short lists and texts. */
function messages(decode: (api: AnyApi, body: Buffer, version: number) => unknown): Buffer[] {
  const random = randomOf(1, 'messages')
  return apis.flatMap((api, i) =>
    Array.from({ length: api.maxVersion - api.minVersion + 1 }, (_, v) => {
      let longest: Buffer | undefined
      for (let attempt = 0; attempt < 400; attempt++) {
        const body = Buffer.from(
          Array.from({ length: random.between(0, 60) }, () => random.pick([0, 0, 0, 0, 0, 1, 1, 2, 3, 255])),
        )
        try {
          decode(api, body, api.minVersion + v)
        } catch {
          continue
        }
        if (body.length >= (longest?.length ?? 0)) longest = body
      }
      return longest === undefined ? [] : [Buffer.concat([Buffer.from([i, v]), longest])]
    }).flat(),
  )
}

const records = Array.from({ length: 20 }, (_, i) => ({
  key: i % 3 === 0 ? null : `key-${i}`,
  value: i % 5 === 0 ? null : `value ${i} `.repeat(3),
  headers: i % 4 === 0 ? [{ key: 'trace', value: 'a' }] : [],
  timestampMs: 1_764_000_000_000 + i,
}))

async function batches(): Promise<Buffer[]> {
  const packed = [...builtInCodecs.values()].map((codec) => encodeCompressedBatch(records, codec))
  return [Buffer.from(encodeRecordBatch(records)), ...(await Promise.all(packed))]
}

export const kafkaTargets: readonly FuzzTarget[] = [
  {
    name: 'kafka-record-batch',
    perMillion: 120_000,
    corpus: batches,
    read: (input) =>
      orWireError(() => {
        for (const batch of splitRecordBatches(input)) {
          // Without the checksum, or hardly any damage would reach the records.
          const { records } = decodeRecordBatch(batch, { checkCrc: false, maxBytes: maxUnpackedBytes })
          mustHold(records.length <= maxUnpackedBytes, 'more records than bytes')
        }
      }),
  },
  {
    name: 'kafka-checksum',
    perMillion: 40_000,
    corpus: batches,
    read: (input) =>
      orWireError(() => splitRecordBatches(input).map((batch) => decodeRecordBatch(batch, { maxBytes: maxUnpackedBytes }))),
  },
  {
    name: 'kafka-requests',
    perMillion: 120_000,
    corpus: () => messages((api, body, version) => api.decodeRequest(body, version)),
    read: (input) => {
      const message = messageOf(input)
      if (message === undefined) return 'refused'
      return orWireError(() => {
        const { api, body, version } = message
        const request = api.decodeRequest(body, version)
        // What was read can be written, and reads the same again.
        const again = api.encodeRequest(request, version)
        mustHold(
          api.encodeRequest(api.decodeRequest(again, version), version).equals(again),
          `${api.name} does not read what it wrote`,
        )
      })
    },
  },
  {
    name: 'kafka-responses',
    perMillion: 120_000,
    corpus: () => messages((api, body, version) => api.decodeResponse(body, version)),
    read: (input) => {
      const message = messageOf(input)
      return message === undefined ? 'refused' : orWireError(() => message.api.decodeResponse(message.body, message.version))
    },
  },
  {
    name: 'kafka-frames',
    perMillion: 60_000,
    corpus: () => [Buffer.from([0, 0, 0, 12, 0, 3, 0, 1, 0, 0, 0, 7, 0, 1, 97, 0, 0, 0, 0, 9, 0, 18, 0, 0, 0, 0, 0, 8, 1])],
    read: (input) =>
      refusedBy(isA(FrameError))(() => {
        const splitter = createFrameSplitter(1024 * 1024)
        splitter.push(input.subarray(0, input.length >> 1))
        splitter.push(input.subarray(input.length >> 1))
        let bytes = 0
        for (let frame = splitter.next(); frame !== undefined; frame = splitter.next()) bytes += frame.length
        mustHold(bytes <= input.length, 'more bytes in the frames than came')
      }),
  },
]
