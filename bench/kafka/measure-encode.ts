import { join } from 'node:path'
import { type BenchResult, benchRow, interleave, type Round } from '../result'
import { runTask } from './child'
import type { EncodeTask } from './encode'
import { ratioOf, ratioText, speedTarget, verdictOf } from './ratio'

const batches = 1000
const batchRecords = 100

/** The encoder of record batches against that of kafkajs. The bytes of both must be the same. */
export async function measureEncode(scripts: string, rounds: number, log: (line: string) => void): Promise<BenchResult> {
  const run = (encoder: EncodeTask['encoder'], values: EncodeTask['values']) => () =>
    runTask<Round>(join(scripts, 'encode.mjs'), { encoder, values, batches, batchRecords } satisfies EncodeTask)
  const measured = await interleave(
    {
      bytes: run('kit', 'bytes'),
      bytesByKafkajs: run('kafkajs', 'bytes'),
      text: run('kit', 'text'),
      textByKafkajs: run('kafkajs', 'text'),
    },
    rounds,
    (line) => log(`encoder, ${batches} batches of ${batchRecords} records: ${line}`),
  )
  const { bytes, bytesByKafkajs, text, textByKafkajs } = measured
  const ofBytes = ratioOf(bytesByKafkajs, bytes)
  const ofText = ratioOf(textByKafkajs, text)
  log(ratioText('encoder, values of bytes', ofBytes))
  log(ratioText('encoder, values of text', ofText))
  return {
    rows: [
      benchRow('encode 256-byte values, kafka-wire', 'ours', bytes, verdictOf(bytes, bytesByKafkajs[0]!.digest)),
      benchRow('encode 256-byte values, kafkajs', 'peer', bytesByKafkajs),
      benchRow('encode 252-character values, kafka-wire', 'ours', text, verdictOf(text, textByKafkajs[0]!.digest)),
      benchRow('encode 252-character values, kafkajs', 'peer', textByKafkajs),
    ],
    targets: [
      speedTarget('encoder against kafkajs, 100 records a batch, bytes', ofBytes, 6, true),
      speedTarget('encoder against kafkajs, 100 records a batch, text', ofText, 6, true),
    ],
  }
}
