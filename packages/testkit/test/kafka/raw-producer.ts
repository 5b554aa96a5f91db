import { setTimeout as wait } from 'node:timers/promises'
import { encodeRecordBatch, initProducerId, produce } from '@pipe/kafka-wire'
import { connectRaw } from '../../src/kafka/raw-connection'

const coordinatorLoading = 14

/** What a broker answers to one batch, in the words of a comparison. */
export interface RawAnswer {
  readonly errorCode: number
  readonly baseOffset: bigint
}

/** One connection that sends Produce requests as they are given, sequence numbers included: no client would send most of them. */
export async function connectRawProducer(address: string) {
  const { ask, close } = await connectRaw(address)
  return {
    /** A new producer id, as brokers give them. One that was not asked before has none yet and says so (14). */
    async newId(): Promise<bigint> {
      const request = { transactionalId: null, transactionTimeoutMs: 1000, producerId: -1n, producerEpoch: -1 }
      for (;;) {
        const { errorCode, producerId } = await ask(initProducerId, 1, request)
        if (errorCode === 0) return producerId
        if (errorCode !== coordinatorLoading) throw new Error(`InitProducerId failed with ${errorCode}`)
        await wait(50)
      }
    },
    async send(topic: string, partition: number, records: Uint8Array): Promise<RawAnswer> {
      const response = await ask(produce, 7, {
        transactionalId: null,
        acks: -1,
        timeoutMs: 5000,
        topics: [{ name: topic, partitions: [{ partition, records }] }],
      })
      const { errorCode, baseOffset } = response.topics[0]!.partitions[0]!
      return { errorCode, baseOffset }
    },
    close,
  }
}

/** A batch of so many records. */
export function rawBatch(from: {
  readonly count?: number
  readonly id?: bigint
  readonly epoch?: number
  readonly sequence?: number
}): Buffer {
  const records = Array.from({ length: from.count ?? 1 }, (_, i) => {
    return { key: null, value: `v${i}`, headers: [], timestampMs: Date.now() }
  })
  const { id = -1n, epoch = id < 0n ? -1 : 0, sequence = -1 } = from
  return encodeRecordBatch(records, { producerId: id, producerEpoch: epoch, baseSequence: sequence })
}
