import { afterEach, expect, test } from 'vitest'
import { type LocalKafka, startKafka } from '../../src/index'
import { embeddedTargetOf } from './suite/embedded-target'
import { batchOf, partitionClient } from './suite/partition-client'

let kafka: LocalKafka
afterEach(() => kafka.close())

test('the life of a record: appended, copied, committed, confirmed; then its leader dies', async () => {
  kafka = await startKafka({ brokers: 3, settings: { 'broker.session.timeout.ms': '50' } })
  kafka.createTopic('log')
  const { leader } = kafka.partitions('log')[0]!
  const client = await partitionClient(embeddedTargetOf(kafka), 'log')
  await client.produce(batchOf(['a', 'b']))
  await kafka.faults.kill(leader)
  await kafka.waitFor('log', ([one]) => one!.leader !== leader)
  client.close()
  const events = kafka.timeline.events({
    topic: 'log',
    kinds: ['append', 'replicate', 'commit', 'acknowledge', 'leader', 'in-sync'],
  })
  const kinds = events.map(({ kind }) => kind)
  expect(kinds.slice(0, 6)).toEqual(['leader', 'append', 'replicate', 'replicate', 'commit', 'acknowledge'])
  const [shrunk] = events.filter(({ kind }) => kind === 'in-sync')
  expect(shrunk).toMatchObject({ was: expect.arrayContaining([1, 2, 3]) })
  expect(events.every(({ atMs }, index) => index === 0 || atMs >= events[index - 1]!.atMs)).toBe(true)

  const lines = kafka.timeline.text({ topic: 'log' }).split('\n')
  expect(lines[0]).toMatch(/^ +ms {2}controllers +broker 1 +broker 2 +broker 3$/)
  const append = lines.find((line) => line.includes('append 0..1'))!
  expect(append.indexOf('append')).toBe(lines[0]!.indexOf(`broker ${leader}`))
  expect(lines.some((line) => line.includes(`copy 0..1 from ${leader}`))).toBe(true)
  expect(lines.some((line) => line.includes('KILLED'))).toBe(true)

  const svg = kafka.timeline.svg({ topic: 'log' })
  expect(svg.match(/marker-end/g)).toHaveLength(2)
  expect(svg).toContain('committed &#60; 2')
  expect(() => kafka.timeline.text({ topics: ['log'] } as object)).toThrow('no option "topics"')
  kafka.timeline.clear()
  expect(kafka.timeline.events()).toEqual([])
})
