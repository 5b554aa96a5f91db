import { sleep } from '@pipe/core'
import { encodeRecordBatch, initProducerId, produce } from '@pipe/kafka-wire'
import { KafkaError, protocolFailure } from '../errors'
import type { Cluster } from '../internals'
import { askLeaders, partitionKey, type TopicPartition } from '../leader-request'
import { backoffAfter } from './retry-policy'
import type { EntryToWrite } from './retry-topic'

// A partition that one member writes at a time. A member that was put out of its group may not know it yet; what it still writes must not
// land behind the back of the one that came after it. Kafka fences writers by the epoch of a producer id, and gives out a new epoch to
// whoever asks for the same transactional id. So the batches are idempotent ones under such an id, without transactions: the first batch of a
// new owner ends the writing of the one before, and a batch that is sent again because its answer was lost is stored once.

/** The writer of a partition. */
export interface OwnedLog {
  /**
   * Makes the partition ours, by a first entry: from its offset on nobody who owned it before can write.
   *
   * @returns the offset behind that entry.
   * @throws KafkaError when the cluster refuses, or for `waitMs` does not answer.
   */
  claim(entry: EntryToWrite): Promise<bigint>
  /**
   * Writes an entry, in the order of the calls. After a failure every call fails: the partition must be claimed anew.
   *
   * @returns its offset.
   * @throws KafkaError `PIPE_KAFKA_FENCED` when somebody else has claimed the partition.
   */
  append(entry: EntryToWrite): Promise<bigint>
}

interface Pending {
  readonly entry: EntryToWrite
  readonly done: (offset: bigint) => void
  readonly failed: (error: unknown) => void
}

/** Bytes of one batch, so that it fits into any topic: entries are small, or nearly as large as the topic takes. */
const batchBytes = 256 * 1024

/** Makes the writer of one partition. Nothing is sent before `claim`. */
export function createOwnedLog(settings: {
  readonly cluster: Cluster
  readonly partition: TopicPartition
  readonly transactionalId: string
  readonly waitMs: number
  readonly signal: AbortSignal
}): OwnedLog {
  const { cluster, partition, transactionalId, waitMs, signal } = settings
  let producer: { readonly id: bigint; readonly epoch: number } | undefined
  let sequence = 0
  let queue: Pending[] = []
  let isWriting = false
  let failure: unknown

  async function newEpoch(): Promise<void> {
    const giveUpAt = Date.now() + waitMs
    for (let failures = 1; ; failures++) {
      try {
        const coordinator = await cluster.transactionCoordinator(transactionalId)
        const request = { transactionalId, transactionTimeoutMs: 60_000, producerId: -1n, producerEpoch: -1 }
        const answer = await cluster.call(coordinator, initProducerId, request, { signal })
        if (answer.errorCode !== 0) throw protocolFailure(`Claiming ${partitionKey(partition)}`, answer.errorCode, partition)
        producer = { id: answer.producerId, epoch: answer.producerEpoch }
        sequence = 0
        return
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof KafkaError) || !error.retryable || Date.now() > giveUpAt) throw error
        await sleep(backoffAfter(failures, 100, 2000, Math.random), signal)
      }
    }
  }

  async function write(entries: readonly EntryToWrite[]): Promise<bigint> {
    const { id, epoch } = producer!
    const batch = encodeRecordBatch(entries, { producerId: id, producerEpoch: epoch, baseSequence: sequence })
    const giveUpAt = Date.now() + waitMs
    for (;;) {
      const wait = { waitMs: Math.max(0, giveUpAt - Date.now()), signal }
      // The same bytes again, whatever became of them before: the broker knows them by their sequence.
      const answers = await askLeaders(cluster, [partition], wait, async (broker) => {
        const topics = [{ name: partition.topic, partitions: [{ partition: partition.partition, records: batch }] }]
        const answer = await cluster.call(
          broker,
          produce,
          { transactionalId: null, acks: -1, timeoutMs: 10_000, topics },
          { signal },
        )
        return answer.topics.flatMap(({ name, partitions }) =>
          partitions.map((one) => ({ topic: name, partition: one.partition, errorCode: one.errorCode, value: one.baseOffset })),
        )
      })
      const answer = answers.get(partitionKey(partition))
      if (typeof answer === 'bigint') {
        sequence = (sequence + entries.length) % 2 ** 31
        return answer
      }
      if (!answer) throw new KafkaError('PIPE_KAFKA_PROTOCOL', `${partitionKey(partition)}: the broker gave no answer for it.`)
      if (fencedCodes.has(answer.details.errorCode ?? 0)) throw fenced(partition, answer)
      if (!answer.retryable || Date.now() >= giveUpAt) throw answer
      await sleep(200, signal)
    }
  }

  function nextBatch(): Pending[] {
    let bytes = 0
    let count = 0
    for (const { entry } of queue) {
      bytes += (entry.key?.length ?? 0) + (entry.value?.length ?? 0) + 1000
      if (count > 0 && bytes > batchBytes) break
      count++
    }
    return queue.splice(0, count)
  }

  async function writeAll(): Promise<void> {
    if (isWriting) return
    isWriting = true
    while (queue.length > 0) {
      const batch = nextBatch()
      try {
        if (failure !== undefined) throw failure
        const offset = await write(batch.map(({ entry }) => entry))
        for (const [at, { done }] of batch.entries()) done(offset + BigInt(at))
      } catch (error) {
        failure ??= error
        for (const { failed } of batch) failed(error)
      }
    }
    isWriting = false
  }

  function append(entry: EntryToWrite): Promise<bigint> {
    return new Promise((done, failed) => {
      queue.push({ entry, done, failed })
      void writeAll()
    })
  }

  return {
    async claim(entry) {
      await newEpoch()
      queue = []
      failure = undefined
      return (await append(entry)) + 1n
    },
    append,
  }
}

/** INVALID_PRODUCER_EPOCH, PRODUCER_FENCED; OUT_OF_ORDER_SEQUENCE_NUMBER, UNKNOWN_PRODUCER_ID: the partition has lost our place. */
const fencedCodes: ReadonlySet<number> = new Set([47, 90, 45, 59])

function fenced(partition: TopicPartition, cause: KafkaError): KafkaError {
  return new KafkaError('PIPE_KAFKA_FENCED', `${partitionKey(partition)} was claimed by another member of the group.`, {
    retryable: true,
    cause,
    details: partition,
  })
}
