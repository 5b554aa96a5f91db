// Child process: stub brokers that keep what they get. Prints nothing; speaks with its parent.
import { startStubBrokers } from '@pipe/testkit'
import { createPlaces, numberOf } from './messages'

/** What the parent says with each message. */
export interface StubQuestion {
  readonly topic: string
  readonly partitions: number
  /** How many messages should be there. */
  readonly messages: number
}

const { topic, partitions, messages } = JSON.parse(process.argv[2]!) as StubQuestion
const stub = await startStubBrokers({ topics: { [topic]: partitions }, brokers: 3, keep: 'batches' })

process.on('message', () => {
  const places = createPlaces(messages)
  for (let partition = 0; partition < partitions; partition++) {
    for (const { offset, value } of stub.records(topic, partition)) places.put(numberOf(value), partition, Number(offset))
  }
  process.send!(places.digest())
})
process.once('disconnect', () => process.exit(0))
process.send!(stub.bootstrap)
