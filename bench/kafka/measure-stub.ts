import { join } from 'node:path'
import { type BenchResult, benchRow, interleave, type Round } from '../result'
import { runTask, startBrokers } from './child'
import type { ProduceTask } from './produce'
import { ratioOf, ratioText, readBackRound, readBackText, speedTarget, verdictOf } from './ratio'
import type { StubQuestion } from './stub'

const topic = 'bench'
const partitions = 6
const batchRecords = 100

/** What one run sends. A slow client needs fewer messages for the same time, and to be compiled as well before the clock starts. */
interface Load {
  readonly mode: ProduceTask['mode']
  readonly warmUp: number
  readonly messages: number
}

const manyBatches: Load = { mode: 'batched', warmUp: 150_000, messages: 300_000 }
const fewBatches: Load = { mode: 'batched', warmUp: 20_000, messages: 60_000 }
const manySingles: Load = { mode: 'single', warmUp: 30_000, messages: 60_000 }
const fewSingles: Load = { mode: 'single', warmUp: 4000, messages: 8000 }

/** Times in the report are those of so many messages. */
const unit = 100_000

/** Producers against three brokers of the wire only, in a process of their own that is new for each run. */
export async function measureStub(scripts: string, rounds: number, log: (line: string) => void): Promise<BenchResult> {
  const run = (client: ProduceTask['client'], load: Load) => async (): Promise<Round> => {
    const total = load.warmUp + load.messages
    const question: StubQuestion = { topic, partitions, messages: total }
    const stub = await startBrokers<string>(join(scripts, 'stub.mjs'), question)
    try {
      const task: ProduceTask = { ...load, client, brokers: stub.brokers, topic, partitions, batchRecords, concurrency: 1000 }
      const round = await runTask<Round>(join(scripts, 'produce.mjs'), task)
      const scale = unit / load.messages
      return { ...readBackRound(round, await stub.ask(), total), ms: round.ms * scale, cpuMs: round.cpuMs * scale }
    } finally {
      stub.close()
    }
  }
  const measured = await interleave(
    {
      kit: run('kit', manyBatches),
      kafkajs: run('kafkajs', fewBatches),
      kitSingle: run('kit', manySingles),
      kafkajsSingle: run('kafkajs', fewSingles),
    },
    rounds,
    (line) => log(`produce to stub brokers: ${line}`),
  )
  const { kit, kafkajs, kitSingle, kafkajsSingle } = measured
  const ofBatches = ratioOf(kafkajs, kit)
  const ofSingles = ratioOf(kafkajsSingle, kitSingle)
  log(ratioText('batched sends to the stub', ofBatches))
  log(ratioText('concurrent single sends to the stub', ofSingles))
  const row = (name: string, kind: 'ours' | 'peer', of: readonly Round[], { warmUp, messages }: Load) =>
    benchRow(`stub, ${unit} messages ${name}`, kind, of, verdictOf(of, readBackText(warmUp + messages)))
  return {
    rows: [
      row(`in batches of ${batchRecords}, kafka-kit (idempotent)`, 'ours', kit, manyBatches),
      row(`in batches of ${batchRecords}, kafkajs`, 'peer', kafkajs, fewBatches),
      row('one by one, 1000 at a time, kafka-kit (idempotent)', 'ours', kitSingle, manySingles),
      row('one by one, 1000 at a time, kafkajs', 'peer', kafkajsSingle, fewSingles),
    ],
    targets: [
      speedTarget('batched sends against kafkajs', ofBatches, 5, true),
      speedTarget('concurrent single sends against kafkajs', ofSingles, 10, true),
    ],
  }
}
