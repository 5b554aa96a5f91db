import { column } from '@pipe/core'
import { deadLetterHeaders, defineTopic, originOf } from '@pipe/kafka-kit'
import { createHandledLog, isAllCommitted } from '../group-work'
import type { Random } from '../random'
import type { Scenario } from '../scenario'
import { createSendLog } from '../send-log'
import { readTopic, type StoredRecord } from '../topic-log'

const partitions = 3

/**
 * Among good records stand some that cannot be decoded (any bytes at all), and some whose handler always fails. Each ends in the
 * dead-letter topic, once, with key, value and headers as they were; all others are handled.
 */
export const poison: Scenario = {
  name: 'poison',
  disturbs: 'nothing',
  async run({ target, random, ...scene }) {
    const topic = await scene.topic('orders', partitions)
    const deadLetters = await scene.topic('dead', partitions)
    const group = `${topic}-group`
    const kafka = scene.connect()
    const contract = defineTopic(topic, {
      key: column.string(),
      value: { id: column.string(), n: column.integer() },
      partitions,
      replicationFactor: 3,
    })
    const handled = createHandledLog()
    const consumer = kafka.consumer({
      group,
      topics: [contract],
      concurrency: random.between(1, 8),
      retry: { attempts: 2, backoff: '10 ms' },
      deadLetter: { topic: deadLetters },
      timing: { session: '6 seconds', commitEvery: '100 ms' },
      handle({ value, ...place }) {
        if (value.n % 17 === 0) throw new Error(`${value.id} is refused`)
        handled.handled({ ...place, value: JSON.stringify(value) })
      },
    })
    const sent = createSendLog(kafka.producer(), topic)
    const count = random.between(200, 600)
    for (let i = 0; i < count; i++) {
      const value = random.between(0, 9) === 0 ? rubbish(random, i) : JSON.stringify({ id: `id-${i}`, n: i })
      sent.send({ key: `k${i % 40}`, value, headers: { trace: `${i}` } })
    }
    await sent.settled()
    await scene.until('all is committed', () => isAllCommitted(target.bootstrap, group, topic))
    await consumer.stop()
    await consumer.done
    const stored = new Map((await readTopic(target.bootstrap, topic)).map((record) => [placeOf(record), record]))
    const buried = await readTopic(target.bootstrap, deadLetters)
    for (const letter of buried) {
      const origin = originOf(Object.entries(letter.headers).map(([key, value]) => ({ key, value })))!
      const original = stored.get(placeOf(origin))
      if (original !== undefined && isIntact(letter, original)) handled.handled({ ...origin, value: original.value })
    }
    return [{ guarantee: 'dead-letter', counts: handled.counts(sent), note: `${buried.length} of ${count} are dead letters` }]
  },
}

/** Nothing that the contract could read. It begins with its number, so that it is like no other. */
function rubbish(random: Random, i: number): Buffer {
  return Buffer.concat([Buffer.from(`${i}?`), random.bytes(random.between(0, 200))])
}

const placeOf = ({ partition, offset }: { readonly partition: number; readonly offset: bigint }) => `${partition}/${offset}`

function isIntact(letter: StoredRecord, original: StoredRecord): boolean {
  const own = new Set<string>(Object.values(deadLetterHeaders))
  const headers = Object.fromEntries(Object.entries(letter.headers).filter(([name]) => !own.has(name)))
  const text = ({ key, value }: StoredRecord, of: StoredRecord['headers']) =>
    JSON.stringify([
      key?.toString('hex'),
      value?.toString('hex'),
      Object.entries(of).map(([name, bytes]) => [name, bytes.toString('hex')]),
    ])
  return text(letter, headers) === text(original, original.headers)
}
