import { metadata } from '@pipe/kafka-wire'
import type kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalKafka, startKafka } from '../../src/index'
import { kafkajsClient } from './clients'
import { rawClient } from './raw-client'

let kafka: LocalKafka
beforeAll(async () => {
  kafka = await startKafka({ brokers: 2, users: { alice: 'geheim, =1', bob: 'ß' } })
})
afterAll(() => kafka?.close())

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

async function topics(sasl: kafkajs.SASLOptions): Promise<string[]> {
  const admin = kafkajsClient(kafka.brokers, { sasl, retry: { retries: 0 } }).admin()
  await admin.connect()
  try {
    return await admin.listTopics()
  } finally {
    await admin.disconnect()
  }
}

test.each(mechanisms)('%s lets users in, and nobody else', async (mechanism) => {
  expect(await topics({ mechanism, username: 'alice', password: 'geheim, =1' } as kafkajs.SASLOptions)).toEqual([])
  expect(await topics({ mechanism, username: 'bob', password: 'ß' } as kafkajs.SASLOptions)).toEqual([])
  for (const [username, password] of [
    ['alice', 'wrong'],
    ['mallory', 'geheim, =1'],
  ]) {
    await expect(topics({ mechanism, username, password } as kafkajs.SASLOptions)).rejects.toThrow(/[Aa]uthentication/)
  }
})

test('without authentication the connection ends, and no answer tells anything', async () => {
  const client = await rawClient(kafka.brokers[0]!)
  client.send(metadata, 5, {
    topics: null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
  expect(await client.nextFrame()).toBeUndefined()
})

test('a mechanism that is not served is refused', async () => {
  const oauth = { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: 'token' }) } as kafkajs.SASLOptions
  await expect(topics(oauth)).rejects.toThrow('does not support the requested SASL mechanism')
})
