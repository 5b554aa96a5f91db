import { encodeRecordBatch } from '@pipe/kafka-wire'
import { expect, test } from 'vitest'
import { createStubLog } from '../../src/kafka/stub-log'

const batch = (values: readonly string[], baseSequence: number, producerEpoch = 0, producerId = 7n) => {
  const records = values.map((value) => ({ key: null, value, headers: [], timestampMs: 1 }))
  return encodeRecordBatch(records, { producerId, producerEpoch, baseSequence })
}
const values = (log: ReturnType<typeof createStubLog>) => log.records().map(({ value }) => String(value))

test('a repeated batch is answered with its old offset and not stored again, while it is among the last five', () => {
  const log = createStubLog({ keep: 'records' })
  for (let i = 0; i < 6; i++) expect(log.append(batch([`v${i}`], i))).toMatchObject({ errorCode: 0, baseOffset: BigInt(i) })
  expect(log.append(batch(['v1'], 1))).toEqual({ errorCode: 0, baseOffset: 1n, isDuplicate: true })
  expect(log.append(batch(['v0'], 0))).toMatchObject({ errorCode: 45 })
  expect(values(log)).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5'])
})

test('a gap, and the same first but another last sequence, are out of order', () => {
  const log = createStubLog({ keep: 'records' })
  log.append(batch(['a', 'b', 'c'], 0))
  expect(log.append(batch(['e'], 4))).toMatchObject({ errorCode: 45, baseOffset: -1n })
  expect(log.append(batch(['a'], 0))).toMatchObject({ errorCode: 45 })
  expect(log.append(batch(['d'], 3))).toMatchObject({ errorCode: 0, baseOffset: 3n })
})

test('a new epoch begins at 0, an old one is fenced, an unknown producer may begin anywhere', () => {
  const log = createStubLog({ keep: 'records' })
  expect(log.append(batch(['a'], 5))).toMatchObject({ errorCode: 0 })
  expect(log.append(batch(['b'], 6, 1))).toMatchObject({ errorCode: 45 })
  expect(log.append(batch(['b'], 0, 1))).toMatchObject({ errorCode: 0 })
  expect(log.append(batch(['c'], 6, 0))).toMatchObject({ errorCode: 47 })
  expect(values(log)).toEqual(['a', 'b'])
})

test('sequences wrap to 0 behind the largest int32', () => {
  const log = createStubLog({ keep: 'records' })
  expect(log.append(batch(['a', 'b', 'c'], 2 ** 31 - 2))).toMatchObject({ errorCode: 0 })
  expect(log.append(batch(['d'], 1))).toMatchObject({ errorCode: 0, baseOffset: 3n })
  expect(log.append(batch(['x'], 2 ** 31 - 1))).toMatchObject({ errorCode: 45 })
})

test('two batches at once are refused, damaged ones throw, both store nothing', () => {
  const log = createStubLog({ keep: 'records' })
  const one = batch(['a'], 0)
  expect(log.append(Buffer.concat([one, one]))).toMatchObject({ errorCode: 87 })
  const damaged = Buffer.from(one)
  damaged[damaged.length - 1]! ^= 1
  expect(() => log.append(damaged)).toThrow('checksum')
  expect(log.endOffset()).toBe(0n)
  expect(log.append(one)).toMatchObject({ errorCode: 0, isDuplicate: false })
})

test('batches that are kept as they came are decoded when somebody asks, in their order', () => {
  const log = createStubLog({ keep: 'batches' })
  log.append(batch(['a', 'b'], 0))
  expect(values(log)).toEqual(['a', 'b'])
  log.append(batch(['c'], 2))
  log.append(batch(['c'], 2))
  expect(values(log)).toEqual(['a', 'b', 'c'])
  expect(log.records().map(({ offset }) => offset)).toEqual([0n, 1n, 2n])
})
