import { PassThrough } from 'node:stream'
import type { Clock } from '@pipe/core'
import { encodeLog, type LogMessage, type RecordSink, runLog, streamLog, toKafka, toStdout } from '@pipe/log-gen'
import { describe, expect, it } from 'vitest'
import { fleet } from './fleet'

/** A clock that only sleeping moves, and sinks that take time of it. */
function virtualClock(): Clock & { advance(ms: number): void } {
  let now = 1_000_000
  return {
    now: () => now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      now += ms
      // Others whose time has come go on first.
      await new Promise((resolve) => setImmediate(resolve))
    },
    advance: (ms) => {
      now += ms
    },
  }
}

function memorySink(clock: ReturnType<typeof virtualClock>, takesMs: (send: number) => number = () => 0) {
  const taken: { at: number; messages: readonly LogMessage[] }[] = []
  const sink: RecordSink = {
    send: async (messages) => {
      clock.advance(takesMs(taken.length))
      taken.push({ at: clock.now(), messages })
    },
    put: () => Promise.reject(new Error('not used')),
    close: () => {},
  }
  return { sink, taken }
}

const from = '2026-11-24T15:00:00Z'
const log = fleet({ devices: 5, faults: {} })

describe('runLog', () => {
  it('keeps a cumulative rate without drift, and an exact total', async () => {
    const clock = virtualClock()
    const { sink, taken } = memorySink(clock)
    const report = await runLog({ log, sink, from, rate: 333, limit: 10_000, clock })
    expect(report).toMatchObject({ scheduled: 10_000, emitted: 10_000, late: 0, dropped: 0 })
    // The last of n is due at (n - 1) / rate.
    expect(report.elapsedMs).toBeGreaterThanOrEqual(Math.floor((9_999 * 1000) / 333))
    expect(report.elapsedMs).toBeLessThan((9_999 * 1000) / 333 + 50)
    let sum = 0
    for (const { at, messages } of taken) {
      sum += messages.length
      const due = Math.floor(((at - 1_000_000) / 1000) * 333) + 1
      expect(Math.abs(sum - due)).toBeLessThanOrEqual(1)
    }
  })

  it('plays the log in its own time, or faster', async () => {
    const clock = virtualClock()
    const { sink } = memorySink(clock)
    const to = '2026-11-24T15:02:00Z'
    const report = await runLog({ log, sink, from, to, speed: 60, clock })
    expect(report.emitted).toBe(5 * 120)
    expect(report.elapsedMs).toBeGreaterThan(1950)
    expect(report.elapsedMs).toBeLessThan(2050)
  })

  it('blocks: all records come, and those that come late are counted', async () => {
    const clock = virtualClock()
    const { sink } = memorySink(clock, (send) => (send === 3 ? 5000 : 0))
    const report = await runLog({ log, sink, from, rate: 100, limit: 2000, clock })
    expect(report).toMatchObject({ scheduled: 2000, emitted: 2000, dropped: 0 })
    // During five seconds of standstill four seconds of records become more than a second late.
    expect(report.late).toBeGreaterThan(390)
    expect(report.late).toBeLessThan(420)
    expect(report.maxLagMs).toBeGreaterThanOrEqual(4990)
    // What was lost is made up for: the run ends when it should.
    expect(report.elapsedMs).toBeLessThan(20_100)
  })

  it('drops what finds a send under way, and counts it', async () => {
    const clock = virtualClock()
    let release = () => {}
    const seen: number[] = []
    const sink: RecordSink = {
      send: async (messages) => {
        seen.push(messages.length)
        if (seen.length === 2) {
          await new Promise<void>((resolve) => {
            release = resolve
          })
        }
      },
      put: () => Promise.reject(new Error('not used')),
      close: () => {},
    }
    const stop = {
      ...clock,
      sleep: async (ms: number, signal?: AbortSignal) => {
        await clock.sleep(ms, signal)
        if (clock.now() > 1_003_000) release()
      },
    }
    const report = await runLog({ log, sink, from, rate: 100, limit: 500, backPressure: 'drop', clock: stop })
    expect(report.scheduled).toBe(500)
    expect(report.emitted + report.dropped).toBe(500)
    expect(report.dropped).toBeGreaterThan(280)
    expect(seen.reduce((sum, count) => sum + count, 0)).toBe(report.emitted)
  })

  it('fails when it is told to, with the counts', async () => {
    const clock = virtualClock()
    const hanging: RecordSink = {
      send: (_messages, { signal }) =>
        new Promise((resolve) => {
          setTimeout(resolve, 20)
          signal?.addEventListener('abort', () => resolve())
        }),
      put: () => Promise.reject(new Error('not used')),
      close: () => {},
    }
    const run = runLog({ log, sink: hanging, from, rate: 100, limit: 500, backPressure: 'fail', clock })
    await expect(run).rejects.toMatchObject({ code: 'PIPE_LOG_OVERRUN', details: { dropped: 0 } })
  })

  it('passes on what the sink throws, and the reason of the signal', async () => {
    const clock = virtualClock()
    const broken = new Error('broken')
    const sink: RecordSink = { send: () => Promise.reject(broken), put: () => Promise.reject(broken), close: () => {} }
    await expect(runLog({ log, sink, from, rate: 10, limit: 50, clock })).rejects.toBe(broken)
    const stop = new AbortController()
    const { sink: good } = memorySink(clock)
    const onProgress = ({ emitted }: { emitted: number }) => {
      if (emitted > 20) stop.abort(broken)
    }
    await expect(runLog({ log, sink: good, from, rate: 10, clock, signal: stop.signal, onProgress })).rejects.toBe(broken)
  })

  it.each([
    [{ rate: 0 }, '"rate" must be a number above 0'],
    [{ rate: 5, speed: 2 }, 'takes either "rate" or "speed"'],
    [{ limit: 0 }, '"limit" must be a whole number of records'],
    [{ backPressure: 'wait' }, `"backPressure" is 'block', 'drop' or 'fail'`],
    [{ maxInFlight: 0 }, '"maxInFlight" must be a whole number above 0'],
    [{ from: 'soon' }, '"from" is not an instant'],
    [{ rat: 5 }, 'runLog has no option "rat"'],
  ])('refuses %o', async (more, message) => {
    const { sink } = memorySink(virtualClock())
    await expect(runLog({ log, sink, from, limit: 1, ...more } as never)).rejects.toThrow(message)
  })
})

describe('streamLog', () => {
  it('gives the records one by one, when they are due', async () => {
    const clock = virtualClock()
    const times: number[] = []
    for await (const { value, emitTime } of streamLog(log, { from, clock })) {
      expect(JSON.parse(value.toString())).toHaveProperty('metric')
      times.push(clock.now() - 1_000_000 - (emitTime - +new Date(from)))
      if (times.length === 100) break
    }
    expect(times.every((lag) => lag >= 0 && lag <= 1)).toBe(true)
  })
})

describe('sinks of records', () => {
  const range = { from, to: '2026-11-24T15:01:00Z' }
  const bytes = () => Buffer.concat([...encodeLog(log, range)]).toString()

  it('write lines to a stream', async () => {
    const stream = new PassThrough({ highWaterMark: 1000 })
    const parts: Buffer[] = []
    stream.on('data', (part: Buffer) => parts.push(part))
    const sink = toStdout({ stream })
    await runLog({ log, sink, ...range, speed: 1000, clock: virtualClock() })
    sink.close()
    expect(Buffer.concat(parts).toString()).toBe(bytes())
  })

  it('reject when nobody reads on', async () => {
    const stream = new PassThrough({ highWaterMark: 10 })
    const sink = toStdout({ stream })
    const run = runLog({ log, sink, ...range, speed: 1000, clock: virtualClock() })
    const gone = new Error('EPIPE')
    stream.destroy(gone)
    await expect(run).rejects.toBe(gone)
  })

  it('send messages by a producer of kafka-kit as it is', async () => {
    const sent: { key: string; value: Buffer; timestamp: Date }[] = []
    const producer = {
      send: async () => expect.unreachable('its send takes one message'),
      sendMany: async (topic: string, messages: readonly (typeof sent)[number][], options: object) => {
        expect(topic).toBe('device-logs')
        expect(options).toHaveProperty('signal')
        sent.push(...messages)
      },
    }
    await runLog({ log, sink: toKafka({ producer, topic: 'device-logs' }), ...range, speed: 1000, clock: virtualClock() })
    expect(sent.map(({ value }) => `${value}\n`).join('')).toBe(bytes())
    const [{ value, timestamp }] = sent as [(typeof sent)[number]]
    expect(timestamp.getTime()).toBe(Date.parse(`${JSON.parse(value.toString()).timestamp.replace(' ', 'T')}Z`))
  })

  it('send messages to Kafka: the device is the key, the event time the timestamp', async () => {
    const sent: { key: string; value: Buffer; timestamp: string }[] = []
    const producer = {
      send: async ({ topic, messages }: { topic: string; messages: typeof sent }) => {
        expect(topic).toBe('device-logs')
        sent.push(...messages)
      },
    }
    const sink = toKafka({ producer, topic: 'device-logs' })
    await runLog({ log, sink, ...range, speed: 1000, maxInFlight: 3, clock: virtualClock() })
    expect(sent).toHaveLength(300)
    expect(sent.map(({ value }) => `${value}\n`).join('')).toBe(bytes())
    for (const { key, value, timestamp } of sent) {
      const { device_name, timestamp: at } = JSON.parse(value.toString())
      expect(key).toBe(device_name)
      expect(Number(timestamp)).toBe(Date.parse(`${at.replace(' ', 'T')}Z`))
    }
    expect(() => toKafka({ producer: {} as never, topic: 'x' })).toThrow('has neither sendMany()')
    expect(() => toKafka({ producer, topic: '' })).toThrow('the topic is empty')
  })
})
