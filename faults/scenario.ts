import type { Duration } from '@pipe/core'
import { createKafka, type Kafka } from '@pipe/kafka-kit'
import { type Load, startLoad } from './load'
import type { Random } from './random'
import type { FaultTarget } from './target'
import type { Counts, Guarantee } from './verdict'
import type { Worker, Workers } from './worker'

/** What a scenario found for one kind of record. */
export interface Finding {
  readonly guarantee: Guarantee
  readonly counts: Counts
  /** What this seed did: `broker 2 killed, followers 340 ms behind`. */
  readonly note: string
}

/** One kind of accident. */
export interface Scenario {
  readonly name: string
  /** `brokers`: nothing else may run meanwhile. `proxies`: one after the other. `nothing`: beside others. */
  readonly disturbs: 'brokers' | 'proxies' | 'nothing'
  /** Causes the accident and counts. Throws when the accident did not happen, or something never came to an end. */
  run(scene: Scene): Promise<readonly Finding[]>
}

/** What a scenario has for one seed. All of it is closed behind it. */
export interface Scene {
  readonly target: FaultTarget
  readonly random: Random
  readonly signal: AbortSignal
  /** Makes a topic of this scene. @returns its name. */
  topic(name: string, partitions: number): Promise<string>
  /** A connection, direct or through the proxies. */
  connect(options?: { readonly disturbed?: boolean; readonly requestTimeout?: Duration }): Kafka
  /** A process of its own, see `workers/`. */
  worker(name: 'consumer' | 'sink', config: object, env?: Readonly<Record<string, string>>): Promise<Worker>
  /** Calls `each` with 0, 1, 2 …, `perTurn` times every five milliseconds, until it is stopped, at the latest at the end of the scene. */
  load(perTurn: number, each: (index: number) => void): Load
  /** Waits so many milliseconds. */
  wait(ms: number): Promise<void>
  /** Waits until it holds, two minutes at most. */
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>
  /** Called when the scene ends, last first. */
  onEnd(close: () => unknown): void
}

/** Makes a scene. */
export function openScene(given: {
  readonly target: FaultTarget
  readonly random: Random
  readonly signal: AbortSignal
  readonly workers: Workers
  /** Starts the names of its topics. */
  readonly prefix: string
}): Scene & { close(options: { readonly heal: boolean }): Promise<void> } {
  const { target, signal, workers, prefix } = given
  const closers: (() => unknown)[] = []
  const topics: string[] = []
  const wait = (ms: number) =>
    new Promise<void>((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const onAbort = () => {
        clearTimeout(timer)
        reject(signal.reason)
      }
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }, ms)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  return {
    target,
    random: given.random,
    signal,
    wait,
    async topic(name, partitions) {
      const topic = `${prefix}-${name}`
      await target.createTopic(topic, partitions)
      topics.push(topic)
      return topic
    },
    connect({ disturbed = false, requestTimeout = '2 seconds' } = {}) {
      const brokers = disturbed ? target.disturbedBootstrap : target.bootstrap
      const kafka = createKafka({ brokers, clientId: prefix, requestTimeout })
      closers.push(() => kafka.close())
      return kafka
    },
    load(perTurn, each) {
      const load = startLoad(perTurn, each)
      closers.push(() => load.stop())
      return load
    },
    async worker(name, config, env = {}) {
      const worker = await workers.start(name, config, env)
      closers.push(() => worker.kill())
      return worker
    },
    async until(what, holds) {
      const giveUpAt = Date.now() + 120_000
      while (!(await holds())) {
        if (Date.now() > giveUpAt) throw new Error(`Not within two minutes: ${what}.`)
        await wait(25)
      }
    },
    onEnd: (close) => void closers.push(close),
    async close({ heal }) {
      const errors: unknown[] = []
      // First whole, then closed: a client that says good-bye to a dead broker waits for it.
      const steps = heal ? [() => target.deleteTopics(topics), ...closers, () => target.heal()] : closers
      for (const close of steps.reverse()) {
        await Promise.resolve()
          .then(close)
          .catch((error: unknown) => errors.push(error))
      }
      if (errors.length > 0) throw errors[0]
    },
  }
}
