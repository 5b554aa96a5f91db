import { decodeRecordBatch, fetchRecords, splitRecordBatches } from '@pipe/kafka-wire'
import { connectRaw, type KafkaCluster } from '@pipe/testkit'
import { createPlaces, numberOf } from './messages'

/** Bytes of one answer. */
const answerBytes = 1024 * 1024

/** Reads all of a topic from the leaders of its partitions, by no client that is measured, and says where the messages are. */
export async function readBack(cluster: KafkaCluster, topic: string, messages: number): Promise<string> {
  const places = createPlaces(messages)
  for (const { partition, leader } of await cluster.partitions(topic)) {
    const connection = await connectRaw(cluster.broker(leader).address)
    try {
      for (let offset = 0n, end = 1n; offset < end; ) {
        const answer = await connection.ask(fetchRecords, 11, fetchOf(topic, partition, offset))
        const { errorCode, highWatermark, records } = answer.topics[0]!.partitions[0]!
        if (errorCode !== 0) throw new Error(`Reading ${topic}[${partition}] back: error ${errorCode}.`)
        end = highWatermark
        for (const batch of splitRecordBatches(records ?? Buffer.alloc(0))) {
          for (const record of decodeRecordBatch(batch).records) {
            places.put(numberOf(record.value), partition, Number(record.offset))
            offset = record.offset + 1n
          }
        }
      }
    } finally {
      connection.close()
    }
  }
  return places.digest()
}

function fetchOf(name: string, partition: number, fetchOffset: bigint) {
  return {
    replicaId: -1,
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: answerBytes,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        name,
        partitions: [{ partition, currentLeaderEpoch: -1, fetchOffset, logStartOffset: -1n, maxBytes: answerBytes }],
      },
    ],
    forgottenTopics: [],
    rackId: '',
  }
}
