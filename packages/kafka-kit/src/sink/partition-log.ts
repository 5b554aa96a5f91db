import { sleep } from '@pipe/core'
import { type BatchRecord, decodeRecordBatch, fetchRecords, WireError } from '@pipe/kafka-wire'
import { takeApart } from '../consumer/ingest'
import { KafkaError, protocolFailure } from '../errors'
import type { Cluster } from '../internals'
import { existingTopics, partitionKey, type TopicPartition } from '../leader-request'
import { answerOf, logOffsets } from '../offsets'

/** What a partition holds now. */
export interface LogState {
  /** Offset of the oldest record that is kept. */
  readonly start: bigint
  /** End of what is committed. */
  readonly end: bigint
  /** 32 hexadecimal digits. Changes when a topic is deleted and created again. */
  readonly topicId: string
}

/** Records that were read, and where the log goes on. */
export interface LogPiece {
  readonly records: readonly BatchRecord[]
  /** Equal to the offset that was asked for when nothing is there yet. */
  readonly next: bigint
  /** End of the log, as far as known. */
  readonly end: bigint
}

/** Reads the committed records of one partition. Errors that pass by themselves are `retryable`. */
export interface PartitionLog {
  state(signal: AbortSignal): Promise<LogState>
  /** @throws KafkaError `PIPE_KAFKA_PROTOCOL` with error code 1 when the log has no such offset. */
  read(offset: bigint, signal: AbortSignal): Promise<LogPiece>
}

const firstFetchBytes = 1024 * 1024

/** The log of a partition, read from its leader. */
export function createPartitionLog(cluster: Cluster, place: TopicPartition): PartitionLog {
  const { topic, partition } = place
  const name = partitionKey(place)
  let leader: number | undefined
  let damaged = 0

  async function leaderOf(signal: AbortSignal): Promise<number> {
    if (leader !== undefined) return leader
    const found = (await existingTopics(cluster, [topic], signal))
      .get(topic)!
      .partitions.find((one) => one.partition === partition)
    if (!found || found.leader < 0) throw protocolFailure(name, found ? 5 : 3, { topic, partition })
    leader = found.leader
    return leader
  }

  async function fetchOnce(offset: bigint, signal: AbortSignal) {
    const broker = await cluster.broker(await leaderOf(signal))
    const answer = await cluster.call(
      broker,
      fetchRecords,
      {
        replicaId: -1,
        // A broker answers one request of a connection at a time: one partition must not make the others wait.
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: firstFetchBytes,
        // Only what is committed: what a producer took back must not reach a file.
        isolationLevel: 1,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [
          {
            name: topic,
            partitions: [
              { partition, currentLeaderEpoch: -1, fetchOffset: offset, logStartOffset: -1n, maxBytes: firstFetchBytes },
            ],
          },
        ],
        forgottenTopics: [],
        rackId: '',
      },
      { signal },
    )
    const result = answer.topics[0]?.partitions[0]
    if (!result) throw new KafkaError('PIPE_KAFKA_PROTOCOL', `${name}: the leader did not answer for it.`, { retryable: true })
    if (result.errorCode !== 0) throw protocolFailure(name, result.errorCode, { topic, partition })
    return result
  }

  return {
    async state(signal) {
      const offsets = await logOffsets(cluster, [place], { waitMs: 15_000, signal })
      const { start, stable } = answerOf(offsets, place)
      const { topicId } = (await existingTopics(cluster, [topic], signal)).get(topic)!
      return { start, end: stable, topicId: topicId.replaceAll('-', '') }
    },
    async read(offset, signal) {
      let result: Awaited<ReturnType<typeof fetchOnce>>
      try {
        result = await fetchOnce(offset, signal)
      } catch (error) {
        // Whoever leads it now is looked up again.
        leader = undefined
        throw error
      }
      try {
        const { pieces, endOffset } = takeApart(result.records, result.abortedTransactions, offset)
        const records = pieces
          .flatMap(({ batch }) => (batch ? decodeRecordBatch(batch, { checkCrc: false }).records : []))
          .filter((record) => record.offset >= offset)
        damaged = 0
        return { records, next: endOffset, end: result.lastStableOffset }
      } catch (error) {
        if (!(error instanceof WireError) && !(error instanceof RangeError)) throw error
        damaged++
        await sleep(100 * damaged, signal)
        throw new KafkaError('PIPE_KAFKA_CORRUPT', `${name} from offset ${offset} on: ${error.message}`, {
          retryable: damaged < 3,
          hint: 'It is damaged each time that it is fetched, or packed in a way that this Node cannot unpack. Nothing was skipped.',
          cause: error,
          details: { topic, partition },
        })
      }
    },
  }
}
