import fc from 'fast-check'
import Decoder from 'kafkajs/src/protocol/decoder'
import decodeByKafkajs from 'kafkajs/src/protocol/recordBatch/v0/decoder'
import produceRequest from 'kafkajs/src/protocol/requests/produce/v7/request'
import { describe, expect, it } from 'vitest'
import {
  builtInCodecs,
  controlKind,
  decodeRecordBatch,
  encodeCompressedBatch,
  encodeRecordBatch,
  type RecordToWrite,
  readBatchHeader,
  recordBytesAtMost,
  setProducer,
  splitRecordBatches,
} from '../src/index'

const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 40 }))
const part = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 4, arbitrary: text },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
)
const record: fc.Arbitrary<RecordToWrite> = fc.record({
  key: part,
  value: part,
  headers: fc.array(fc.record({ key: fc.string({ minLength: 1, maxLength: 12 }), value: part }), { maxLength: 3 }),
  // Of equal length as text: kafkajs sorts timestamps as texts.
  timestampMs: fc.integer({ min: 1_500_000_000_000, max: 1_900_000_000_000 }),
})
const records = fc.array(record, { minLength: 1, maxLength: 30 })

const bytesOf = (value: Uint8Array | string | null) => (value === null ? null : Buffer.from(value as string))
const plain = ({ key, value, headers, timestampMs }: RecordToWrite) => ({
  key: bytesOf(key),
  value: bytesOf(value),
  headers: headers.map((header) => ({ key: header.key, value: bytesOf(header.value) })),
  timestampMs,
})

describe('a record batch', () => {
  it('is byte for byte that of kafkajs', async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.option(fc.nat({ max: 2 ** 31 - 1 }), { nil: undefined }), async (list, sequence) => {
        // kafkajs takes headers as an object, so their names differ; and it cannot write a header that is null.
        const unique = list.map((item) => ({
          ...item,
          headers: item.headers.filter(({ value }, i) => value !== null && i === 0 && !/^\d+$/.test(item.headers[0]!.key)),
        }))
        const producer = sequence === undefined ? { id: -1n, epoch: 0, first: 0 } : { id: 4711n, epoch: 3, first: sequence }
        const { buffer } = await produceRequest({
          acks: -1,
          timeout: 1000,
          producerId: String(producer.id),
          producerEpoch: producer.epoch,
          topicData: [
            {
              topic: 't',
              partitions: [
                {
                  partition: 0,
                  firstSequence: producer.first,
                  messages: unique.map(({ key, value, headers, timestampMs }) => ({
                    key,
                    value,
                    headers: Object.fromEntries(headers.map((header) => [header.key, header.value])),
                    timestamp: timestampMs,
                  })),
                },
              ],
            },
          ],
        }).encode()
        const ours = encodeRecordBatch(unique, {
          producerId: producer.id,
          producerEpoch: producer.epoch,
          baseSequence: producer.first,
          partitionLeaderEpoch: 0,
        })
        // Request: null id (2), acks (2), timeout (4), topics (4), "t" (3), partitions (4), partition (4), size (4).
        expect(ours.equals(buffer.subarray(27))).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  it('comes back, and is no larger than it was estimated', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (list) => {
        const batch = encodeRecordBatch(list, { baseOffset: 100n, producerId: 7n, producerEpoch: 1, baseSequence: 9 })
        const decoded = decodeRecordBatch(batch)
        expect(decoded.records.map(({ offset: _, ...item }) => item)).toEqual(list.map(plain))
        expect(decoded.records.map(({ offset }) => offset)).toEqual(list.map((_, i) => 100n + BigInt(i)))
        expect(decoded).toMatchObject({ producerId: 7n, producerEpoch: 1, baseSequence: 9, recordCount: list.length })
        expect(batch.length - 61).toBeLessThanOrEqual(list.reduce((sum, item) => sum + recordBytesAtMost(item), 0))
      }),
    )
  })

  it.each([...builtInCodecs.values()])('comes back through $name', async (codec) => {
    await fc.assert(
      fc.asyncProperty(records, async (list) => {
        const batch = await encodeCompressedBatch(list, codec)
        expect(decodeRecordBatch(batch).records.map(({ offset: _, ...item }) => item)).toEqual(list.map(plain))
      }),
      { numRuns: 50 },
    )
  })

  it('is read by kafkajs', async () => {
    const list = [{ key: 'k', value: 'väl', headers: [{ key: 'h', value: 'x' }], timestampMs: 1_700_000_000_000 }]
    const batch = await encodeCompressedBatch(list, builtInCodecs.get(1)!)
    const { records: read } = await decodeByKafkajs(new Decoder(batch))
    expect(read[0]).toMatchObject({ key: Buffer.from('k'), value: Buffer.from('väl'), headers: { h: Buffer.from('x') } })
  })

  it('keeps its records under another producer id', () => {
    const list = [{ key: null, value: 'v', headers: [], timestampMs: 5 }]
    const batch = encodeRecordBatch(list, { producerId: 1n, producerEpoch: 0, baseSequence: 40 })
    setProducer(batch, 2n, 5, 0)
    expect(batch.equals(encodeRecordBatch(list, { producerId: 2n, producerEpoch: 5, baseSequence: 0 }))).toBe(true)
  })

  it('is refused when a single bit differs', () => {
    const batch = encodeRecordBatch([{ key: 'k', value: 'v', headers: [], timestampMs: 1 }])
    for (let at = 17; at < batch.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Buffer.from(batch)
        damaged[at]! ^= 1 << bit
        expect(() => decodeRecordBatch(damaged)).toThrow(/PIPE_KAFKA_WIRE/)
      }
    }
  })

  it('is refused with a clear reason when its inside is hostile', () => {
    const seal = (batch: Buffer) => {
      setProducer(batch, -1n, -1, -1)
      return batch
    }
    const make = () => encodeRecordBatch([{ key: 'k', value: 'v', headers: [], timestampMs: 1 }])
    const many = make()
    many.writeInt32BE(2 ** 30, 57)
    expect(() => decodeRecordBatch(seal(many))).toThrow(/says it has 1073741824 records/)
    const few = make()
    few.writeInt32BE(0, 57)
    expect(() => decodeRecordBatch(seal(few))).toThrow(/bytes too many/)
    const unknown = make()
    unknown.writeInt16BE(7, 21)
    expect(() => decodeRecordBatch(seal(unknown))).toThrow(/unknown compression 7/)
    const packed = make()
    packed.writeInt16BE(1, 21)
    expect(() => decodeRecordBatch(seal(packed))).toThrow(/gzip batch cannot be unpacked/)
    expect(() => decodeRecordBatch(seal(packed), { codecs: new Map() })).toThrow(/packed with gzip, for which there is no codec/)
    expect(() => decodeRecordBatch(make().subarray(0, 60))).toThrow(/PIPE_KAFKA_WIRE/)
  })

  it('never crashes on damaged bytes', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.nat({ max: 255 }), (list, at, byte) => {
        const batch = encodeRecordBatch(list)
        batch[at % batch.length] = byte
        try {
          decodeRecordBatch(batch, { checkCrc: false, maxBytes: 1 << 20 })
        } catch (error) {
          expect((error as Error).message).toMatch(/^PIPE_KAFKA_WIRE/)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('a record set', () => {
  const one = encodeRecordBatch([{ key: null, value: 'a', headers: [], timestampMs: 1 }])
  it('is cut into its batches; one that is cut off is left out', () => {
    const two = encodeRecordBatch([{ key: null, value: 'b', headers: [], timestampMs: 1 }], { baseOffset: 1n })
    expect(splitRecordBatches(Buffer.concat([one, two, one.subarray(0, 40)]))).toEqual([one, two])
    expect(splitRecordBatches(Buffer.concat([one, two]).subarray(0, one.length + 3))).toEqual([one])
  })
  it('of an older format is refused', () => {
    const old = Buffer.from(one)
    old[16] = 1
    expect(() => splitRecordBatches(old)).toThrow(/format 1/)
    expect(() => readBatchHeader(old)).toThrow(/format 1/)
  })
  it('may hold marks of transactions', () => {
    const mark = encodeRecordBatch([{ key: Buffer.from([0, 0, 0, 1]), value: Buffer.alloc(6), headers: [], timestampMs: 1 }], {
      isControl: true,
      isTransactional: true,
    })
    const decoded = decodeRecordBatch(mark)
    expect(decoded).toMatchObject({ isControl: true, isTransactional: true })
    expect(controlKind(decoded.records[0]!)).toBe('commit')
  })
})
