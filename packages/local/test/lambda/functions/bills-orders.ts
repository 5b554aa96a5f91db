import { column } from '@pipe/core'
import { onKafka } from '@pipe/events'
import { defineTopic } from '@pipe/kafka-kit'

/** The topic that is billed. */
export const orders = defineTopic('orders', {
  key: column.string(),
  value: column.string(),
  partitions: 2,
  replicationFactor: 1,
  minInSyncReplicas: 1,
})

interface Order {
  readonly value: string | null
  readonly partition: number
  readonly offset: bigint
}

/** One handler for Lambda and for a consumer group. `poison` always fails. */
export const bill = ({ value, partition, offset }: Order): void => {
  if (value === 'poison') throw new Error('told to fail')
  console.log(`billed ${partition}@${offset} ${value}`)
}

export const handler = onKafka(orders, bill)

/** Fails as a whole when there is something poisonous. */
export const all = (event: { readonly records: Readonly<Record<string, readonly { readonly value: string }[]>> }): void => {
  const values = Object.values(event.records).flatMap((list) => list.map(({ value }) => Buffer.from(value, 'base64').toString()))
  console.log(`batch ${values.join(',')}`)
  if (values.includes('poison')) throw new Error('told to fail')
}

/** An answer that names no record of the batch. */
export const malformed = async (event: unknown): Promise<unknown> => {
  console.log(`event ${JSON.stringify(event)}`)
  return { batchItemFailures: [{ itemIdentifier: 'orders-0' }] }
}
