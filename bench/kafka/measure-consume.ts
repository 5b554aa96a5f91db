import { join } from 'node:path'
import { type BenchResult, benchRow, benchTarget, interleave, type Round } from '../result'
import { runTask, startBrokers } from './child'
import type { ConsumeTask } from './consume'
import type { LogOptions } from './log-broker'
import type { LogStubAnswer } from './log-stub'
import { ratioOf, ratioText, speedTarget, verdictOf } from './ratio'
import type { StallReport, StallTask } from './stall'

const topic = 'bench'

/** Records of each of six partitions, and how many are handled before the clock starts. */
interface Load {
  readonly records: number
  readonly warmUp: number
}

const partitions = 6
const fewRecords: Load = { records: 600, warmUp: 1200 }
const manyRecords: Load = { records: 2000, warmUp: 4000 }

/** Times in the report are those of so many records. */
const unit = 1000

/** Consumers with a handler that waits for a millisecond. What was handled must be all there is, each record once, and be committed. */
export async function measureConsume(scripts: string, rounds: number, log: (line: string) => void): Promise<BenchResult> {
  const run = (client: ConsumeTask['client'], concurrency: number, load: Load) => async (): Promise<Round> => {
    // kafkajs decodes an answer before it handles its first record, kafka-kit bit by bit: with small answers the clock sees all the work of both.
    const options: LogOptions = { topic, partitions, records: load.records, answerBatches: 1 }
    const broker = await startBrokers<LogStubAnswer>(join(scripts, 'log-stub.mjs'), options)
    try {
      const task: ConsumeTask = { ...load, client, concurrency, brokers: broker.brokers, topic, partitions, handlerMs: 1 }
      const round = await runTask<Round>(join(scripts, 'consume.mjs'), task)
      const { committed } = await broker.ask()
      const scale = unit / (partitions * load.records - load.warmUp)
      return { ...round, ms: round.ms * scale, cpuMs: round.cpuMs * scale, digest: `${round.digest}, ${committed} committed` }
    } finally {
      broker.close()
    }
  }
  const measured = await interleave(
    {
      kit: run('kit', 1, fewRecords),
      kit16: run('kit', 16, manyRecords),
      kafkajs: run('kafkajs', 1, fewRecords),
      kafkajsPartitions: run('kafkajs-partitions', 16, manyRecords),
    },
    rounds,
    (line) => log(`consume, handler of 1 ms: ${line}`),
  )
  const { kit, kit16, kafkajs, kafkajsPartitions } = measured
  const one = ratioOf(kafkajs, kit)
  const sixteen = ratioOf(kafkajs, kit16)
  log(ratioText('consume, concurrency 1', one))
  log(ratioText('consume, concurrency 16', sixteen))
  log(ratioText('consume, concurrency 16, against kafkajs by partitions', ratioOf(kafkajsPartitions, kit16)))
  const row = (name: string, kind: 'ours' | 'peer', of: readonly Round[], { records }: Load) => {
    const total = partitions * records
    return benchRow(
      `consume ${unit} records, handler of 1 ms, ${name}`,
      kind,
      of,
      verdictOf(of, `${total} of ${total}, 0 wrong, ${total} committed`),
    )
  }
  return {
    rows: [
      row('concurrency 1, kafka-kit', 'ours', kit, fewRecords),
      row('concurrency 16, kafka-kit', 'ours', kit16, manyRecords),
      row('eachMessage, kafkajs', 'peer', kafkajs, fewRecords),
      row('eachMessage, all partitions at a time, kafkajs', 'peer', kafkajsPartitions, manyRecords),
    ],
    targets: [
      speedTarget('consume, concurrency 1, against kafkajs', one, 1),
      speedTarget('consume, concurrency 16, against kafkajs', sixteen, 8),
    ],
  }
}

const bufferBytes = 32 * 2 ** 20
/** What a process takes beside what it holds: answers on their way from the socket (8 MiB each), garbage, compiled code. */
const allowanceBytes = 48 * 2 ** 20
const waiting = 10_000_200

/** Memory of a consumer whose handlers never end, with ten million records before it. */
export async function measureStall(scripts: string, rounds: number, log: (line: string) => void): Promise<BenchResult> {
  const run = async (): Promise<Round & StallReport> => {
    const options = { topic, partitions, records: waiting / partitions } satisfies LogOptions
    const broker = await startBrokers<LogStubAnswer>(join(scripts, 'log-stub.mjs'), options)
    try {
      const task = { brokers: broker.brokers, topic, partitions, bufferBytes, stallMs: 8000 } satisfies StallTask
      const report = await runTask<Round & StallReport>(join(scripts, 'stall.mjs'), task)
      const { fetched } = await broker.ask()
      log(
        `stalled: grew by ${mib(report.growthBytes)} MiB, holds ${mib(report.bufferedBytes)} MiB, ${waiting - fetched} of ${waiting} records wait at the broker`,
      )
      return report
    } finally {
      broker.close()
    }
  }
  const reports: (Round & StallReport)[] = []
  for (let round = 0; round < rounds; round++) reports.push(await run())
  const growth = Math.max(...reports.map(({ growthBytes }) => growthBytes))
  const isBounded = reports.every(({ bufferedBytes, digest }) => bufferedBytes > 0 && digest === '16 running')
  return {
    rows: [benchRow('stalled handlers before 10 M records, kafka-kit', 'ours', reports, isBounded ? 'ok' : 'wrong')],
    targets: [
      benchTarget(
        `growth of memory over the ${mib(bufferBytes)} MiB that were configured and ${mib(allowanceBytes)} MiB allowed`,
        growth / (bufferBytes + allowanceBytes),
        'lower',
        1,
      ),
    ],
  }
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}
