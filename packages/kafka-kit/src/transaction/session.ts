import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  type Codec,
  endTxn,
  initProducerId,
  type TransactionTopicResult,
  txnOffsetCommit,
} from '@pipe/kafka-wire'
import type { MemberIdentity } from '../consumer/membership'
import { KafkaError } from '../errors'
import type { Cluster } from '../internals'
import { byTopic, type TopicPartition } from '../leader-request'
import type { ProducerId } from '../producer/transport'
import { createCoordinatorLink, type StepOptions } from './coordinator-request'
import type { Output } from './output'
import type { OutputTopics } from './output-topics'
import { sessionEnd } from './session-end'
import { createTransactionWriter } from './transaction-writer'

// One session is one epoch of one transactional id. It runs transactions one after the other, and each step of them until its answer is
// known. Where that cannot be had, the session is over: nothing of it is used again, neither its sequence numbers nor an EndTxn that might
// overtake what is still under way. The next session of the same id bumps the epoch, whereupon the cluster aborts what was open, finishes
// what was being committed, and refuses whatever of the old epoch arrives late. The committed offset then tells which of the two it was.

/** What one transaction does: outputs, and the offset of the input up to which they were made. */
export interface Transaction {
  readonly outputs: readonly Output[]
  readonly input: TopicPartition & { readonly offset: bigint }
  /** Who commits; the coordinator of the group refuses it when it went on without this member. */
  readonly member: MemberIdentity
  /** Asked last of all, before the commit. */
  readonly isOwned: () => boolean
}

/** The writer of one transactional id, until its first failure. */
export interface TransactionSession {
  readonly transactionalId: string
  readonly producer: ProducerId
  /**
   * Runs one transaction. Resolves when it is committed.
   *
   * @throws KafkaError as `sessionEnd` and `noAnswer` make it; the session is over then.
   */
  commit(transaction: Transaction, signal: AbortSignal): Promise<void>
}

/** What sessions of one transform share. */
export interface SessionSettings {
  readonly cluster: Cluster
  readonly group: string
  readonly topics: OutputTopics
  readonly codec: Codec | undefined
  /** After so long the cluster aborts a transaction. */
  readonly timeoutMs: number
  /** After so long we give one up. Well before the cluster does: what fails here should be told by its own reason. */
  readonly giveUpMs: number
}

/** An abort is a courtesy to readers, who wait for the end of an open transaction: the next session aborts it otherwise, or the cluster after the time-out. */
const abortMs = 3000

/** The id that writes for an input partition: group, topic, partition. No topic has a slash in its name, so that no two partitions share an id. */
export function transactionalIdOf(group: string, { topic, partition }: TopicPartition): string {
  return `${group}/${topic}/${partition}`
}

/**
 * Opens a session. When it resolves, no other session of this id can write or commit any more, and no transaction of it is open.
 *
 * @throws KafkaError as `sessionEnd` and `noAnswer` make it.
 */
export async function openSession(
  settings: SessionSettings,
  transactionalId: string,
  signal: AbortSignal,
): Promise<TransactionSession> {
  const { cluster, group, timeoutMs, giveUpMs } = settings
  const transactions = createCoordinatorLink(cluster, () => cluster.transactionCoordinator(transactionalId))
  const offsets = createCoordinatorLink(cluster, () => cluster.coordinator(group))
  // The one before may hold open transactions, whose end has to be written everywhere first.
  const opening = { step: 'The opening', transactionalId, giveUpAtMs: Date.now() + timeoutMs, signal }
  const answer = await transactions.ask(
    initProducerId,
    { transactionalId, transactionTimeoutMs: timeoutMs, producerId: -1n, producerEpoch: -1 },
    ({ errorCode }) => [errorCode],
    opening,
  )
  const producer: ProducerId = { id: answer.producerId, epoch: answer.producerEpoch }
  const identity = { transactionalId, producerId: producer.id, producerEpoch: producer.epoch }
  const writer = createTransactionWriter({ ...settings, transactionalId, producer })
  let isOver = false

  async function write(outputs: readonly Output[], step: (name: string) => StepOptions): Promise<void> {
    if (outputs.length === 0) return
    const places = new Map(outputs.map((output) => [`${output.topic} ${output.partition}`, output]))
    const topics = byTopic([...places.values()], ({ partition }) => partition)
    await transactions.ask(addPartitionsToTxn, { ...identity, topics }, codesOf, step('Adding partitions'))
    await writer.write(outputs, step('A write'))
  }

  async function commitOffset({ input, member }: Transaction, step: (name: string) => StepOptions): Promise<void> {
    await transactions.ask(addOffsetsToTxn, { ...identity, group }, ({ errorCode }) => [errorCode], step('Adding offsets'))
    const request = {
      ...identity,
      group,
      generationId: member.generation,
      memberId: member.memberId,
      groupInstanceId: null,
      topics: byTopic([input], ({ partition, offset }) => ({ partition, offset, leaderEpoch: -1, metadata: null })),
    }
    await offsets.ask(txnOffsetCommit, request, codesOf, step('The offset'))
  }

  async function abort(): Promise<void> {
    const step = { step: 'The abort', transactionalId, giveUpAtMs: Date.now() + abortMs, signal: AbortSignal.timeout(abortMs) }
    // Not reported: the failure before it is, and the next session aborts what is open.
    await transactions.ask(endTxn, { ...identity, isCommit: false }, ({ errorCode }) => [errorCode], step).catch(() => undefined)
  }

  return {
    transactionalId,
    producer,
    async commit(transaction, commitSignal) {
      if (isOver)
        throw new KafkaError('PIPE_KAFKA_TRANSACTION_ENDED', `The session ${transactionalId} is over.`, { retryable: true })
      const giveUpAtMs = Date.now() + giveUpMs
      const step = (name: string): StepOptions => ({ step: name, transactionalId, giveUpAtMs, signal: commitSignal })
      let isEnding = false
      try {
        await write(transaction.outputs, step)
        await commitOffset(transaction, step)
        if (!transaction.isOwned()) throw sessionEnd('The commit', transactionalId, 27)
        isEnding = true
        await transactions.ask(endTxn, { ...identity, isCommit: true }, ({ errorCode }) => [errorCode], step('The commit'))
      } catch (error) {
        isOver = true
        if (!isEnding && isKnown(error)) await abort()
        throw error
      }
    },
  }
}

function codesOf({ topics }: { readonly topics: readonly TransactionTopicResult[] }): number[] {
  return topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
}

/** Whether a step failed by an answer, so that nothing of the transaction is still under way and may arrive behind its abort. */
function isKnown(error: unknown): boolean {
  if (!(error instanceof KafkaError) || error.code === 'PIPE_KAFKA_FENCED') return false
  return error.details.errorCode !== undefined
}
