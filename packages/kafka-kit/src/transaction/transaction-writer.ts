import { PipeError, sleep } from '@pipe/core'
import {
  type Codec,
  encodeCompressedBatch,
  encodeRecordBatch,
  type ProducePartitionResult,
  produce,
  type RecordToWrite,
} from '@pipe/kafka-wire'
import { fromKafkajs } from '../errors'
import type { Cluster } from '../internals'
import { byTopic, partitionKey, type TopicPartition } from '../leader-request'
import { sequenceAfter } from '../producer/partition-queue'
import { backOffMs, verdictOf } from '../producer/retry-table'
import type { ProducerId } from '../producer/transport'
import type { StepOptions } from './coordinator-request'
import type { Output } from './output'
import type { OutputTopics } from './output-topics'
import { noAnswer, sessionEnd } from './session-end'

/** Writes the outputs of the transactions of one session. Counts the sequence numbers of its producer id. */
export interface TransactionWriter {
  /**
   * Resolves when all stand in their logs, in the order given by partition: one batch of a partition after the other, the same bytes again
   * until the leader has confirmed them.
   */
  write(outputs: readonly Output[], options: StepOptions): Promise<void>
}

/** A batch on its way. */
interface Batch {
  readonly records: readonly RecordToWrite[]
  /** Made with the first attempt; the same bytes are sent again. */
  encoded: Buffer | undefined
  /** An attempt was not answered, and none after it has settled it. */
  isInDoubt: boolean
}

/** What goes to one partition. */
interface Lane extends TopicPartition {
  readonly batches: Batch[]
}

/** Why a batch was not confirmed. */
interface Failure {
  readonly error: PipeError
  /** The same bytes may still be confirmed. */
  readonly isPassing: boolean
  readonly isInDoubt: boolean
}

/** Records of one batch, at most so many bytes without compression. */
const batchBytes = 64 * 1024
/** The broker waits so long for its replicas. */
const replicasMs = 10_000
/** A leader that is stopped, not dead, takes requests and never answers. */
const answerMs = 15_000

/** Makes the writer of one session. */
export function createTransactionWriter(settings: {
  readonly cluster: Cluster
  readonly topics: OutputTopics
  readonly codec: Codec | undefined
  readonly transactionalId: string
  readonly producer: ProducerId
}): TransactionWriter {
  const { cluster, topics, codec, transactionalId, producer } = settings
  /** By partition. */
  const sequences = new Map<string, number>()

  async function encode(lane: Lane, batch: Batch): Promise<Buffer> {
    const around = {
      producerId: producer.id,
      producerEpoch: producer.epoch,
      baseSequence: sequences.get(partitionKey(lane)) ?? 0,
      isTransactional: true,
    }
    batch.encoded ??= codec ? await encodeCompressedBatch(batch.records, codec, around) : encodeRecordBatch(batch.records, around)
    return batch.encoded
  }

  async function produceTo(
    leader: number,
    lanes: readonly Lane[],
    signal: AbortSignal,
  ): Promise<readonly ProducePartitionResult[]> {
    const entries = await Promise.all(lanes.map(async (lane) => ({ ...lane, records: await encode(lane, lane.batches[0]!) })))
    const broker = await cluster.broker(leader)
    const timer = setTimeout(() => cluster.drop(broker), answerMs)
    try {
      const answer = await cluster.call(
        broker,
        produce,
        {
          transactionalId,
          acks: -1,
          timeoutMs: replicasMs,
          topics: byTopic(entries, ({ partition, records }) => ({ partition, records })),
        },
        // Version 9 changes nothing but the encoding.
        { signal, maxVersion: 8 },
      )
      const results = new Map(
        answer.topics.flatMap(({ name, partitions }) =>
          partitions.map((result) => [partitionKey({ topic: name, partition: result.partition }), result] as const),
        ),
      )
      return lanes.map((lane) => {
        const result = results.get(partitionKey(lane))
        if (!result)
          throw new PipeError('PIPE_KAFKA_PROTOCOL', `The answer does not name ${partitionKey(lane)}.`, { retryable: true })
        return result
      })
    } catch (error) {
      // Nobody knows what still stands in the socket: a new one begins clean.
      cluster.drop(broker)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  function settle(lane: Lane, { errorCode, errorMessage }: ProducePartitionResult): Failure | undefined {
    const { kind } = verdictOf(errorCode)
    const batch = lane.batches[0]!
    if (kind === 'written' || kind === 'duplicate') {
      const key = partitionKey(lane)
      sequences.set(key, sequenceAfter(sequences.get(key) ?? 0, batch.records.length))
      lane.batches.shift()
      return undefined
    }
    if (kind === 'split' && batch.records.length > 1) {
      // Refused as a whole, so that none of its sequence numbers was used.
      const half = batch.records.length >> 1
      lane.batches.splice(0, 1, newBatch(batch.records.slice(0, half)), newBatch(batch.records.slice(half)))
      return undefined
    }
    const step = `The write to ${partitionKey(lane)}${errorMessage ? ` (${errorMessage})` : ''}`
    const error = sessionEnd(step, transactionalId, errorCode, { topic: lane.topic, partition: lane.partition })
    return { error, isPassing: kind === 'retry', isInDoubt: batch.isInDoubt }
  }

  async function sendTo(leader: number, lanes: readonly Lane[], signal: AbortSignal): Promise<readonly (Failure | undefined)[]> {
    // LEADER_NOT_AVAILABLE.
    if (leader < 0) return lanes.map((lane) => settle(lane, { ...unanswered, partition: lane.partition, errorCode: 5 }))
    try {
      const results = await produceTo(leader, lanes, signal)
      return lanes.map((lane, i) => settle(lane, results[i]!))
    } catch (cause) {
      const error = noAnswer('A write', transactionalId, fromKafkajs('Produce', cause))
      for (const { batches } of lanes) batches[0]!.isInDoubt = true
      return [{ error, isPassing: error.retryable, isInDoubt: true }]
    }
  }

  /** One batch of each lane. Ends when all of them are answered or given up: nothing is under way then that is not in doubt. */
  async function round(lanes: readonly Lane[], signal: AbortSignal): Promise<readonly Failure[]> {
    const byLeader = new Map<number, Lane[]>()
    for (const lane of lanes) {
      const leader = topics.leader(lane.topic, lane.partition)
      const led = byLeader.get(leader)
      if (led) led.push(lane)
      else byLeader.set(leader, [lane])
    }
    const outcomes = await Promise.all([...byLeader].map(([leader, led]) => sendTo(leader, led, signal)))
    return outcomes.flat().filter((failure) => failure !== undefined)
  }

  return {
    async write(outputs, { giveUpAtMs, signal }) {
      await topics.refreshIfOld(signal)
      let lanes = lanesOf(outputs)
      for (let failures = 0; ; ) {
        lanes = lanes.filter(({ batches }) => batches.length > 0)
        if (lanes.length === 0) return
        const failed = await round(lanes, signal)
        signal.throwIfAborted()
        if (failed.length === 0) {
          failures = 0
          continue
        }
        failures++
        const waitMs = backOffMs(failures, Math.random)
        if (failed.some(({ isPassing }) => !isPassing) || Date.now() + waitMs > giveUpAtMs) {
          // First the one that says that nobody knows what is in the log.
          const worst = failed.find(({ isInDoubt }) => isInDoubt) ?? failed.find(({ isPassing }) => !isPassing) ?? failed[0]!
          throw worst.isInDoubt ? noAnswer('A write', transactionalId, worst.error) : worst.error
        }
        await sleep(waitMs, signal)
        // What fails here shows in the next round.
        await topics.refresh(signal).catch(() => signal.throwIfAborted())
      }
    },
  }
}

const unanswered: Omit<ProducePartitionResult, 'partition' | 'errorCode'> = {
  baseOffset: -1n,
  logAppendTimeMs: -1n,
  logStartOffset: -1n,
  recordErrors: [],
  errorMessage: null,
}

function newBatch(records: readonly RecordToWrite[]): Batch {
  return { records, encoded: undefined, isInDoubt: false }
}

/** Outputs by partition, cut into batches. */
function lanesOf(outputs: readonly Output[]): Lane[] {
  const lanes = new Map<string, Lane & { open: RecordToWrite[]; bytes: number }>()
  for (const { topic, partition, record, bytes } of outputs) {
    const key = partitionKey({ topic, partition })
    const lane = lanes.get(key) ?? { topic, partition, batches: [], open: [], bytes: 0 }
    lanes.set(key, lane)
    if (lane.open.length === 0 || lane.bytes + bytes > batchBytes) {
      lane.open = []
      lane.bytes = 0
      lane.batches.push(newBatch(lane.open))
    }
    lane.open.push(record)
    lane.bytes += bytes
  }
  return [...lanes.values()]
}
