import { type BatchRecord, decodeRecordBatch, fetchRecords } from '@pipe/kafka-wire'
import { KafkaError } from '../errors'
import type { Cluster } from '../internals'
import { askLeaders, byTopic, partitionKey, type TopicPartition } from '../leader-request'
import { takeApart } from './ingest'

/** Some records of a partition, and the offset behind everything that was looked at. */
export interface ReadChunk {
  readonly records: readonly BatchRecord[]
  readonly endOffset: bigint
}

/** Bytes of one answer. A batch that is larger comes whole. */
const chunkBytes = 1024 * 1024

/**
 * Reads the committed records of one partition from an offset up to another, in pieces of about 1 MiB, outside of any group.
 *
 * @throws KafkaError when the leader refuses, or does not answer for `waitMs`.
 */
export async function* readPartition(
  cluster: Cluster,
  partition: TopicPartition,
  range: { readonly from: bigint; readonly to: bigint },
  options: { readonly waitMs: number; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<ReadChunk, void, undefined> {
  let at = range.from
  const giveUpAfter = () => Date.now() + options.waitMs
  let giveUpAt = giveUpAfter()
  while (at < range.to) {
    const from = at
    const answers = await askLeaders(cluster, [partition], options, async (broker) => {
      const answer = await cluster.call(
        broker,
        fetchRecords,
        {
          replicaId: -1,
          maxWaitMs: 500,
          minBytes: 1,
          maxBytes: chunkBytes,
          isolationLevel: 1,
          sessionId: 0,
          sessionEpoch: -1,
          topics: byTopic([partition], (item) => ({
            partition: item.partition,
            currentLeaderEpoch: -1,
            fetchOffset: from,
            logStartOffset: -1n,
            maxBytes: chunkBytes,
          })),
          forgottenTopics: [],
          rackId: '',
        },
        { signal: options.signal },
      )
      return answer.topics.flatMap(({ name, partitions }) =>
        partitions.map((result) => ({ topic: name, partition: result.partition, errorCode: result.errorCode, value: result })),
      )
    })
    const answer = answers.get(partitionKey(partition))!
    if (answer instanceof KafkaError) throw answer
    const { pieces, endOffset } = takeApart(answer.records, answer.abortedTransactions, from)
    if (endOffset === from) {
      // The end of what is committed lies behind it, so something must come.
      if (Date.now() > giveUpAt) {
        throw new KafkaError(
          'PIPE_KAFKA_PROTOCOL',
          `${partitionKey(partition)}: nothing came from offset ${from} on for ${options.waitMs} ms.`,
          {
            retryable: true,
            details: partition,
          },
        )
      }
      continue
    }
    giveUpAt = giveUpAfter()
    const records = pieces.flatMap(({ batch }) =>
      batch
        ? decodeRecordBatch(batch, { checkCrc: false }).records.filter(({ offset }) => offset >= from && offset < range.to)
        : [],
    )
    at = endOffset
    // The last batch may reach further.
    if (at > range.to) at = range.to
    yield { records, endOffset: at }
  }
}
