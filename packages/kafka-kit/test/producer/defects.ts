import { type StubBrokers, startStubBrokers } from '@pipe/testkit'
import kafkajs from 'kafkajs'
import { createKafka, type Written } from '../../src/index'

// The defects of bare kafkajs 2.2.4 that made the producer of the kit necessary, as accidents that both clients meet on stub brokers.
// `defects.test.ts` judges them, and the guide's table (`npm run faults -- --defects`) is measured with them.

/** From the least to the most that was seen. */
export type Range = readonly [number, number]

/** An accident, and what bare kafkajs makes of it. */
export interface Defect {
  readonly id: string
  /** For the table. */
  readonly accident: string
  readonly brokers: number
  readonly partitions: number
  readonly idempotent: boolean
  /** Tries of bare kafkajs after the first. */
  readonly retries: number
  /** Scripts the accident. */
  script(stub: StubBrokers): { readonly happened: Promise<void> }
  /** The sends, in their order; each is a list of values. */
  readonly sends: readonly (readonly string[])[]
  readonly hasKeys: boolean
  /** When the next send begins: once the accident has happened to the one before, or once that is settled. */
  readonly next: 'after the accident' | 'when settled'
  /** What bare kafkajs does: messages, and sends. */
  readonly bare: { readonly [Count in keyof DefectOutcome]: Range }
}

const values = (count: number) => Array.from({ length: count }, (_, i) => `v${String(i).padStart(4, '0')}`)

const moved = { partitions: 6, retries: 3, sends: [values(101)], next: 'when settled' } as const
const unanswered = { brokers: 1, partitions: 1, idempotent: true, hasKeys: false } as const

export const defects: readonly Defect[] = [
  {
    ...moved,
    id: 'D1, 2 brokers',
    accident: 'one leader has moved; 101 messages without keys',
    brokers: 2,
    idempotent: false,
    hasKeys: false,
    script: (stub) => stub.script({ broker: 0, error: 6 }),
    bare: { acknowledged: [101, 101], lost: [50, 51], twice: [50, 51], rejected: [0, 0] },
  },
  {
    ...moved,
    id: 'D1, 3 brokers',
    accident: 'one leader has moved; 101 messages without keys',
    brokers: 3,
    idempotent: false,
    hasKeys: false,
    script: (stub) => stub.script({ broker: 0, error: 6 }),
    bare: { acknowledged: [101, 101], lost: [33, 34], twice: [33, 34], rejected: [0, 0] },
  },
  {
    ...moved,
    id: 'D1, idempotent',
    accident: 'the same with the idempotent producer, 2 brokers',
    brokers: 2,
    idempotent: true,
    hasKeys: false,
    script: (stub) => stub.script({ broker: 0, error: 6 }),
    bare: { acknowledged: [101, 101], lost: [50, 51], twice: [50, 51], rejected: [0, 0] },
  },
  {
    ...moved,
    id: 'D1b',
    accident: 'one of three partitions of a broker errs, the others are stored; 101 messages with keys',
    brokers: 2,
    idempotent: false,
    hasKeys: true,
    script: (stub) => stub.script({ broker: 0, partition: 'first', error: 6 }),
    bare: { acknowledged: [101, 101], lost: [0, 0], twice: [33, 33], rejected: [0, 0] },
  },
  {
    ...unanswered,
    id: 'D2',
    accident: 'the answer to A is lost, B is sent meanwhile; idempotent',
    retries: 3,
    script: (stub) => stub.script({ reply: 'none' }),
    sends: [['A'], ['B']],
    next: 'after the accident',
    bare: { acknowledged: [2, 2], lost: [1, 1], twice: [1, 1], rejected: [0, 0] },
  },
  {
    ...unanswered,
    id: 'D2, unequal sizes',
    accident: 'the same, with three messages in A and one in B',
    retries: 3,
    script: (stub) => stub.script({ reply: 'none' }),
    sends: [['A1', 'A2', 'A3'], ['B']],
    next: 'after the accident',
    bare: { acknowledged: [3, 3], lost: [0, 0], twice: [0, 0], rejected: [1, 1] },
  },
  {
    ...unanswered,
    id: 'D2b',
    accident: 'two answers to A are lost, then B and C are sent, one after the other; idempotent',
    retries: 1,
    script: (stub) => stub.script({ reply: 'none', times: 2 }),
    sends: [['A'], ['B'], ['C']],
    next: 'when settled',
    bare: { acknowledged: [2, 2], lost: [1, 1], twice: [0, 0], rejected: [1, 1] },
  },
  {
    ...unanswered,
    id: 'D2b, unequal sizes',
    accident: 'the same, with two messages in A and one each in B and C',
    retries: 1,
    script: (stub) => stub.script({ reply: 'none', times: 2 }),
    sends: [['A1', 'A2'], ['B'], ['C']],
    next: 'when settled',
    bare: { acknowledged: [0, 0], lost: [0, 0], twice: [0, 0], rejected: [3, 3] },
  },
]

/** What became of the messages of one run. */
export interface DefectOutcome {
  readonly acknowledged: number
  /** Acknowledged, and not in the log (for the kit: not at the offset that it reported). */
  readonly lost: number
  /** Copies beyond the first. */
  readonly twice: number
  /** Sends that were rejected. */
  readonly rejected: number
}

export type DefectClient = 'kafkajs' | 'kit'

interface Sender {
  /** Rejects when a message was not confirmed. The kit says where each stands. */
  send(messages: readonly { readonly key?: string; readonly value: string }[]): Promise<readonly Written[] | undefined>
  close(): Promise<unknown>
}

const requestTimeoutMs = 300
const topic = 't'

/** Lets a client meet the accident. */
export async function meet(defect: Defect, client: DefectClient): Promise<DefectOutcome> {
  const stub = await startStubBrokers({ brokers: defect.brokers, topics: { [topic]: defect.partitions } })
  const sender = client === 'kit' ? kit(stub) : await bare(stub, defect)
  try {
    const { happened } = defect.script(stub)
    const settled: Promise<PromiseSettledResult<readonly Written[] | undefined>[]>[] = []
    for (const send of defect.sends) {
      const messages = send.map((value) => (defect.hasKeys ? { key: value, value } : { value }))
      const outcome = Promise.allSettled([sender.send(messages)])
      settled.push(outcome)
      await (defect.next === 'when settled' ? outcome : happened)
    }
    return outcomeOf(defect, (await Promise.all(settled)).flat(), stub)
  } finally {
    await sender.close()
    await stub.close()
  }
}

function outcomeOf(
  defect: Defect,
  settled: readonly PromiseSettledResult<readonly Written[] | undefined>[],
  stub: StubBrokers,
): DefectOutcome {
  const counts = new Map<string, number>()
  for (const value of stub.values(topic)) counts.set(value, (counts.get(value) ?? 0) + 1)
  const isThere = (value: string, place: Written | undefined) =>
    place === undefined ? counts.has(value) : String(stub.records(topic, place.partition)[Number(place.offset)]?.value) === value
  let acknowledged = 0
  let lost = 0
  settled.forEach((outcome, i) => {
    if (outcome.status === 'rejected') return
    for (const [j, value] of defect.sends[i]!.entries()) {
      acknowledged++
      if (!isThere(value, outcome.value?.[j])) lost++
    }
  })
  const twice = [...counts.values()].reduce((sum, count) => sum + count - 1, 0)
  return { acknowledged, lost, twice, rejected: settled.filter(({ status }) => status === 'rejected').length }
}

function kit(stub: StubBrokers): Sender {
  const kafka = createKafka({ brokers: stub.bootstrap, clientId: 'kit', requestTimeout: `${requestTimeoutMs} ms` })
  // Small batches, so that all partitions get some.
  const producer = kafka.producer({ linger: '0 ms', batchRecords: 7 })
  return { send: (messages) => producer.sendMany(topic, messages), close: () => kafka.close() }
}

async function bare(stub: StubBrokers, { idempotent, retries }: Defect): Promise<Sender> {
  const client = new kafkajs.Kafka({
    brokers: [...stub.bootstrap],
    clientId: 'bare',
    logLevel: kafkajs.logLevel.NOTHING,
    requestTimeout: requestTimeoutMs,
  })
  const producer = client.producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    idempotent,
    maxInFlightRequests: 5,
    retry: { initialRetryTime: 50, retries },
  })
  await producer.connect()
  return {
    async send(messages) {
      await producer.send({ topic, messages: [...messages] })
      return undefined
    },
    close: () => producer.disconnect(),
  }
}
