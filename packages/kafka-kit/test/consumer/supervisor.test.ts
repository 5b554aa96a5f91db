import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { ConsumerEvent } from '../../src/consumer/consumer-event'
import { type Life, supervise } from '../../src/consumer/supervisor'
import { KafkaError } from '../../src/errors'

function lives(outcomes: readonly ('start-fails' | 'crashes' | 'lives' | Error)[]) {
  const begun: number[] = []
  let ended = 0
  const events: ConsumerEvent[] = []
  const supervisor = supervise({
    group: 'g',
    maxRestarts: 3,
    firstMs: 5,
    maxMs: 20,
    onEvent: (event) => events.push(event),
    begin(): Life {
      const outcome = outcomes[begun.length] ?? 'lives'
      begun.push(Date.now())
      return {
        async start() {
          if (outcome === 'start-fails') throw Object.assign(new Error('refused'), { name: 'KafkaJSConnectionError' })
          if (outcome instanceof Error) throw outcome
        },
        crashed:
          outcome === 'crashes'
            ? pause(1).then(() =>
                Object.assign(new Error('retries'), { name: 'KafkaJSNumberOfRetriesExceeded', cause: new Error('root cause') }),
              )
            : new Promise(() => {}),
        async end() {
          ended++
        },
      }
    },
  })
  return { supervisor, events, begun, ended: () => ended }
}

test('crashes and failed starts: a new life each time, with a growing pause; stop ends it', async () => {
  const { supervisor, events, begun, ended } = lives(['start-fails', 'crashes', 'lives'])
  while (begun.length < 3) await pause(1)
  await pause(5)
  supervisor.stop()
  await supervisor.ended
  expect(ended()).toBe(2)
  const restarts = events.map((event) =>
    event.kind === 'restarting' ? [event.restart, event.error.code, event.error.message] : [],
  )
  expect(restarts).toMatchObject([
    [1, 'PIPE_KAFKA_CONNECTION', expect.stringContaining('refused')],
    [2, 'PIPE_KAFKA_CONNECTION', expect.stringContaining('root cause')],
  ])
})

test('gives up after so many in a row, with the last cause', async () => {
  const { supervisor, begun } = lives(['crashes', 'crashes', 'crashes', 'crashes', 'crashes'])
  await expect(supervisor.ended).rejects.toMatchObject({
    code: 'PIPE_KAFKA_GAVE_UP',
    message: expect.stringContaining('root cause'),
  })
  expect(begun).toHaveLength(4)
})

test('what another life would meet again ends it at once', async () => {
  const auth = new KafkaError('PIPE_KAFKA_AUTH', 'no')
  const first = lives([auth])
  await expect(first.supervisor.ended).rejects.toBe(auth)
  const denied = Object.assign(new Error('denied'), {
    name: 'KafkaJSProtocolError',
    type: 'GROUP_AUTHORIZATION_FAILED',
    code: 30,
  })
  const second = lives([denied])
  await expect(second.supervisor.ended).rejects.toMatchObject({ details: { errorCode: 30 } })
  expect([first.begun.length, second.begun.length]).toEqual([1, 1])
})

test('fail: ends with that error, also in a pause, and a later one does not replace it', async () => {
  const { supervisor, begun } = lives(['lives'])
  while (begun.length < 1) await pause(1)
  const error = new KafkaError('PIPE_KAFKA_POISON', 'first')
  supervisor.fail(error)
  supervisor.fail(new KafkaError('PIPE_KAFKA_POISON', 'second'))
  await expect(supervisor.ended).rejects.toBe(error)
})
