// Child process: encodes record batches with one encoder and prints what it took. `node encode.mjs TASK`
import { createHash } from 'node:crypto'
import { encodeRecordBatch, type RecordToWrite } from '@pipe/kafka-wire'
import encodeRecordByKafkajs from 'kafkajs/src/protocol/recordBatch/record/v0/index.js'
import { RecordBatch } from 'kafkajs/src/protocol/recordBatch/v0/index.js'
import { makeValues } from './messages'

/** What the parent asks for. */
export interface EncodeTask {
  readonly encoder: 'kit' | 'kafkajs'
  readonly values: 'bytes' | 'text'
  readonly batches: number
  readonly batchRecords: number
}

const { encoder, values, batches, batchRecords } = JSON.parse(process.argv[2]!) as EncodeTask
const timestampMs = Date.UTC(2026, 10, 24)
/** Eight different batches, so that no value stays in the first-level cache. */
const inputs = Array.from({ length: 8 }, (_, batch) =>
  makeValues(batchRecords * 8)
    .slice(batch * batchRecords, (batch + 1) * batchRecords)
    .map((value, i): RecordToWrite => {
      const own = values === 'text' ? value.toString('latin1', 4) : value
      return { key: `user-${i}`, value: own, headers: [], timestampMs: timestampMs + i }
    }),
)
// kafkajs sorts timestamps as texts, so they are of one length; it writes the fields of the broker and of idempotence as 0.
const encode = encoder === 'kit' ? encodeWithKit : encodeWithKafkajs

const hash = createHash('sha256')
for (const input of inputs) hash.update(await encode(input))
const digest = hash.digest('hex').slice(0, 16)
for (let i = 0; i < batches / 4; i++) await encode(inputs[i % inputs.length]!)
const cpuBefore = process.cpuUsage()
const startedMs = performance.now()
let bytes = 0
for (let i = 0; i < batches; i++) bytes += (await encode(inputs[i % inputs.length]!)).length
const ms = performance.now() - startedMs
const cpu = process.cpuUsage(cpuBefore)
console.log(
  JSON.stringify({
    ms,
    cpuMs: (cpu.user + cpu.system) / 1000,
    peakRssMb: process.resourceUsage().maxRSS / 1024,
    digest: `${bytes} bytes, ${digest}`,
  }),
)

function encodeWithKit(records: readonly RecordToWrite[]): Buffer {
  return encodeRecordBatch(records, { producerEpoch: 0, baseSequence: 0, partitionLeaderEpoch: 0 })
}

/** As the Produce request of kafkajs does. */
async function encodeWithKafkajs(records: readonly RecordToWrite[]): Promise<Buffer> {
  const timestamps = records.map((record) => record.timestampMs).sort()
  const firstTimestamp = timestamps[0]!
  const batch = await RecordBatch({
    records: records.map(({ key, value, timestampMs: at }, offsetDelta) =>
      encodeRecordByKafkajs({ key, value, offsetDelta, timestampDelta: at - firstTimestamp }),
    ),
    firstTimestamp,
    maxTimestamp: timestamps.at(-1)!,
    lastOffsetDelta: records.length - 1,
  })
  return batch.buffer
}
