import type { S3Client } from '@aws-sdk/client-s3'
import { column, PipeError, type S3Location, sleep } from '@pipe/core'
import {
  applyTopics,
  type Consumer,
  createKafka,
  createKafkaToS3,
  defineTopic,
  type Kafka,
  type KafkaToS3,
  lagOf,
  planTopics,
} from '@pipe/kafka-kit'
import { generateWindow, type LogSource, toKafka } from '@pipe/log-gen'
import { places } from './places'
import { deviceLogs } from './table'

/** The same readings as a stream: the key is the device, so that its records stay in order. */
export const deviceStream = defineTopic('device-logs', {
  key: column.string(),
  value: deviceLogs,
  partitions: 3,
  replicationFactor: 3,
  minInSyncReplicas: 2,
})

/** Lines that are no readings end here, as they came. */
const deadLetters = defineTopic('device-logs.dead', {
  key: column.string().nullable(),
  value: column.binary(),
  partitions: 1,
  replicationFactor: 3,
  minInSyncReplicas: 2,
})

const dashboard = 'dashboard'

/** What went through Kafka so far. */
export interface StreamCounts {
  /** Messages that the brokers have confirmed: two of three have them. */
  readonly produced: number
  /** Messages that the dashboard has handled, or put aside as dead letters. */
  readonly consumed: number
  /** Messages in files on S3, or in quarantine there, by the sink's own account. */
  readonly sunk: number
}

/** How far the readers were behind at an instant, in messages. */
export interface StreamLag {
  readonly at: Date
  /** Confirmed, and not handled by the dashboard. */
  readonly consumer: number
  /** Confirmed, and not in a file on S3: the sink closes its files by time and size. */
  readonly sink: number
}

/** The devices on Kafka, and who listens. */
export interface Stream extends AsyncDisposable {
  counts(): StreamCounts
  /** The devices write the file that has closed at this instant. */
  produce(at: Date): Promise<void>
  /** Waits until everything has been read and stored, and ends the readers. `lag`: what the dashboard's group has not read. */
  finish(): Promise<StreamCounts & { readonly lag: number }>
}

/** Creates the topics and starts the readers: a dashboard, and a worker that stores the stream in S3. */
export async function startStream(brokers: readonly string[], s3: S3Client, source: LogSource): Promise<Stream> {
  const kafka = createKafka({ brokers, clientId: 'log-pipeline' })
  await applyTopics(kafka, await planTopics(kafka, [deviceStream, deadLetters]))
  const producer = kafka.producer({ linger: '20 ms' })
  const counts = { produced: 0, consumed: 0 }
  const target: S3Location = `s3://${places.bucket}/${places.stream}`
  const sink = createKafkaToS3({
    kafka,
    topic: deviceStream,
    group: 'stream-to-s3',
    target,
    table: deviceLogs,
    client: s3,
    row: ({ value }) => value,
  })
  const reader = startDashboard(kafka, () => counts.consumed++)
  let failure: unknown
  for (const life of [reader.done, sink.run()]) {
    life.catch((error: unknown) => {
      failure ??= error
    })
  }

  const devices = toKafka({
    topic: deviceStream.name,
    producer: {
      async sendMany(topic, messages, options) {
        counts.produced += (await producer.sendMany(topic, messages, options)).length
      },
    },
  })

  const stored = () => sink.progress().partitions.reduce((sum, { stored, open }) => sum + Number(stored ?? 0n) + open, 0)
  async function caughtUp(): Promise<void> {
    for (const end = Date.now() + 60_000; counts.consumed < counts.produced || stored() < counts.produced; await sleep(20)) {
      if (failure) throw failure
      if (Date.now() > end) {
        const where = `${counts.consumed} were handled, ${stored()} stored of ${counts.produced}`
        throw new PipeError('EXAMPLE_STREAM_STUCK', `The readers of the stream have not caught up within a minute: ${where}.`)
      }
    }
  }

  return {
    counts: () => ({ ...counts, sunk: sunkBy(sink) }),
    async produce(at) {
      if (failure) throw failure
      await generateWindow({ log: source, sink: devices, at })
    },
    async finish() {
      await producer.flush()
      await caughtUp()
      await Promise.all([reader.stop(), sink.stop({ flush: true })])
      const { messages } = await lagOf(kafka, dashboard, { topics: [deviceStream] })
      return { ...counts, sunk: sunkBy(sink), lag: messages }
    },
    [Symbol.asyncDispose]: () => kafka.close(),
  }
}

function startDashboard(kafka: Kafka, count: () => void): Consumer {
  return kafka.consumer({
    group: dashboard,
    topics: [deviceStream],
    concurrency: 8,
    handle: count,
    deadLetter: { topic: deadLetters.name },
    onEvent: (event) => {
      if (event.kind === 'dead-lettered') count()
    },
  })
}

function sunkBy(sink: KafkaToS3): number {
  const { rows, quarantined } = sink.progress()
  return rows + quarantined
}
