import { encodeRecordBatch } from '@pipe/kafka-wire'
import { expect, test } from 'vitest'
import { takeApart } from '../../src/consumer/ingest'

const data = (baseOffset: bigint, values: readonly string[], producerId?: bigint) =>
  encodeRecordBatch(
    values.map((value) => ({ key: null, value, headers: [], timestampMs: 1 })),
    { baseOffset, ...(producerId === undefined ? {} : { producerId, producerEpoch: 0, isTransactional: true }) },
  )
const marker = (baseOffset: bigint, producerId: bigint, kind: 'abort' | 'commit') =>
  encodeRecordBatch(
    [{ key: Buffer.from([0, 0, 0, kind === 'abort' ? 0 : 1]), value: Buffer.alloc(6), headers: [], timestampMs: 1 }],
    {
      baseOffset,
      producerId,
      producerEpoch: 0,
      isTransactional: true,
      isControl: true,
    },
  )
const shown = ({ pieces }: ReturnType<typeof takeApart>) =>
  pieces.map(({ batch, endOffset }) => `${batch ? 'data' : 'none'}<${endOffset}`)

test('aborted transactions and marks become offsets without records; interleaved producers are told apart', () => {
  const records = Buffer.concat([
    data(0n, ['plain']),
    data(1n, ['gone', 'gone'], 7n),
    data(3n, ['kept'], 8n),
    data(4n, ['gone'], 7n),
    marker(5n, 7n, 'abort'),
    data(6n, ['kept'], 7n),
    marker(7n, 8n, 'commit'),
    marker(8n, 7n, 'commit'),
  ])
  const apart = takeApart(records, [{ producerId: 7n, firstOffset: 1n }], 0n)
  expect(shown(apart)).toEqual(['data<1', 'none<3', 'data<4', 'none<5', 'none<6', 'data<7', 'none<8', 'none<9'])
  expect(apart.endOffset).toBe(9n)
})

test('batches below the offset are left out, a cut one at the end too, and pieces do not keep the answer in memory', () => {
  const whole = Buffer.concat([data(0n, ['a', 'b']), data(2n, ['c', 'd']), data(4n, ['e'])])
  const apart = takeApart(whole.subarray(0, whole.length - 3), null, 3n)
  expect(shown(apart)).toEqual(['data<4'])
  whole.fill(0)
  expect(Buffer.from(apart.pieces[0]!.batch!).includes('d')).toBe(true)
  expect(takeApart(null, null, 5n)).toEqual({ pieces: [], endOffset: 5n })
})

test('every flipped bit behind the checksum is found', () => {
  const batch = data(0n, ['some value'])
  for (let at = 17; at < batch.length; at++) {
    const broken = Buffer.from(batch)
    broken[at] = broken[at]! ^ 0x10
    expect(() => takeApart(broken, null, 0n), `byte ${at}`).toThrow(/checksum|format|compression/)
  }
})
