import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { type Api, encodeRecordBatch, initProducerId, produce } from '@pipe/kafka-wire'

const coordinatorLoading = 14

/** What a broker answers to one batch, in the words of a comparison. */
export interface RawAnswer {
  readonly errorCode: number
  readonly baseOffset: bigint
}

/** One connection that sends Produce requests as they are given, sequence numbers included: no client would send most of them. */
export async function connectRawProducer(address: string) {
  const [host, port] = address.split(':') as [string, string]
  const socket = connect(Number(port), host)
  await once(socket, 'connect')
  let correlationId = 0

  async function ask<Request extends object, Response extends object>(
    api: Api<Request, Response>,
    version: number,
    request: Request,
  ) {
    const body = api.encodeRequest(request, version)
    const head = Buffer.alloc(14)
    head.writeInt32BE(body.length + 10, 0)
    head.writeInt16BE(api.key, 4)
    head.writeInt16BE(version, 6)
    correlationId += 1
    head.writeInt32BE(correlationId, 8)
    head.writeInt16BE(-1, 12)
    socket.write(Buffer.concat([head, body]))
    let answer = Buffer.alloc(0)
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      answer = Buffer.concat([answer, chunk as Buffer])
      if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0)) break
    }
    return api.decodeResponse(answer.subarray(8), version)
  }
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
    close: () => socket.destroy(),
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
