import type { ConnectionOptions } from 'node:tls'
import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import kafkajs, { type KafkaConfig, type Kafka as KafkajsClient, type SASLOptions } from 'kafkajs'
import { openCluster } from './cluster'
import { registerCodecs } from './codec-registration'
import type { AnyTopic } from './consumer/consumed-record'
import { type Consumer, createConsumer } from './consumer/consumer'
import type { ConsumerOptions } from './consumer/consumer-options'
import { KafkaError } from './errors'
import { type Cluster, missingMembers } from './internals'
import { type KafkaResources, keepResources } from './kafka-resources'
import type { MskIamAuth } from './msk-iam'
import { serverlessLimits } from './msk-serverless'
import type { Durability } from './producer/durability'
import { createProducer, type Producer } from './producer/producer'
import type { ProducerOptions } from './producer/producer-options'
import { createTransform, type Transform } from './transaction/transform'
import type { TransformOptions, TransformTarget } from './transaction/transform-options'

export { type KafkaResources, resourcesOf } from './kafka-resources'

/** How to prove who we are. */
export type KafkaAuth =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | {
      readonly mechanism: 'oauthbearer'
      /** Called for each connection, and again before a session ends. */
      readonly token: () => Promise<{ readonly value: string }>
    }
  | MskIamAuth

/** One line of the log of kafkajs. */
export interface KafkaLogEntry {
  readonly level: 'error' | 'warn' | 'info' | 'debug'
  /** The part of kafkajs that speaks: `Connection`, `ConsumerGroup` … */
  readonly namespace: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Settings of the connections. */
export interface ConnectionSettings {
  /** `host:port` of some brokers of the cluster; the others are found through them. */
  readonly brokers: readonly string[]
  /** Names this application in the logs and quotas of the brokers. */
  readonly clientId: string
  readonly auth?: KafkaAuth | undefined
  /** `true` for TLS with the certificates of the system, or options of `node:tls`. Default: `true` with `oauthbearer`, else `false`. */
  readonly ssl?: boolean | ConnectionOptions | undefined
  /** How long a connection may take to stand. Default `'3 seconds'`. */
  readonly connectionTimeout?: Duration | undefined
  /** How long a broker may take to answer. Default `'30 seconds'`. */
  readonly requestTimeout?: Duration | undefined
  /** Gets the log of kafkajs, warnings and errors. Default: nobody does; what matters is thrown. */
  readonly onLog?: ((entry: KafkaLogEntry) => void) | undefined
}

/** Settings for MSK Serverless: IAM and TLS are all that it takes. `planTopics` then refuses what it cannot do, before anything is asked. */
export interface ServerlessSettings extends Omit<ConnectionSettings, 'auth' | 'ssl'> {
  readonly platform: 'msk-serverless'
  readonly auth: MskIamAuth
  readonly ssl?: true | undefined
  readonly kafkajs?: undefined
}

/** What {@link createKafka} takes: settings, or a kafkajs instance that has its own. */
export type KafkaOptions =
  | (ConnectionSettings & { readonly kafkajs?: undefined; readonly platform?: 'kafka' | undefined })
  | ServerlessSettings
  | {
      /** A `Kafka` of kafkajs that you made, with its own settings. Its copy of kafkajs is the one that is used. */
      readonly kafkajs: KafkajsClient
    }

/** A connection to a Kafka cluster. Connects with the first use of what is made from it. */
export interface Kafka extends AsyncDisposable {
  /** The kafkajs instance underneath. */
  readonly kafkajs: KafkajsClient
  /**
   * Makes a producer. Opens nothing yet.
   *
   * @throws {@link ConfigError} `PIPE_CONFIG` for an unknown or contradictory option, `PIPE_KAFKA_CODEC` for a compression that this Node lacks.
   */
  producer<D extends Durability = 'quorum'>(options?: ProducerOptions<D>): Producer<D>
  /**
   * Starts a consumer of a group. It joins at once; `done` tells how it ends.
   *
   * @throws {@link ConfigError} `PIPE_CONFIG` for options that cannot work.
   * @example
   * ```ts
   * const consumer = kafka.consumer({ group: 'billing', topics: [orders], concurrency: 16, handle: async (record, { signal }) => charge(record, signal) })
   * process.once('SIGTERM', () => consumer.stop({ deadline: '20 seconds' }))
   * await consumer.done
   * ```
   */
  consumer<const Topics extends readonly AnyTopic[]>(options: ConsumerOptions<Topics>): Consumer
  /**
   * Starts a transform: reads a topic, hands each record to `handle`, and writes what that returns, each input exactly once as far as readers
   * of committed records see it. It is a consumer otherwise: `done` tells how it ends, `stop` stops it.
   *
   * Outputs and the offset of their inputs are committed in one transaction, under an id that belongs to the group and the input partition. Whoever
   * gets a partition first fences the one before. Only what `handle` returns is exactly once: what it does beside that (a call, a
   * write elsewhere) happens again when a record does.
   *
   * `done` rejects with `PIPE_KAFKA_VERSION` (brokers before Kafka 2.5), `PIPE_KAFKA_DURABILITY` (an output topic whose leader alone may
   * confirm), `PIPE_KAFKA_TRANSACTION` (a transaction that is refused and would be again), and as a consumer's does.
   *
   * @throws {@link ConfigError} `PIPE_CONFIG` for options that cannot work or with which exactly once could not be kept; {@link KafkaError}
   * `PIPE_KAFKA_DRIVER` where only the public functions of kafkajs are there.
   * @example
   * ```ts
   * const transform = kafka.transform({ group: 'invoicing', from: orders, to: invoices, handle: ({ key, value }) => ({ key, value: invoiceOf(value) }) })
   * process.once('SIGTERM', () => transform.stop({ deadline: '20 seconds' }))
   * await transform.done
   * ```
   */
  transform<const From extends AnyTopic, const To extends TransformTarget>(options: TransformOptions<From, To>): Transform
  /** Closes everything that was made from it. May be called again. */
  close(): Promise<void>
}

/**
 * Makes the connection to a Kafka cluster. Opens nothing yet.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for a broker that is no `host:port`, or an unknown option.
 * @example
 * ```ts
 * await using kafka = createKafka({ brokers: ['localhost:9092'], clientId: 'orders' })
 * const producer = kafka.producer()
 * ```
 */
export function createKafka(options: KafkaOptions): Kafka {
  const client = options.kafkajs === undefined ? makeClient(options) : checkClient(options)
  const missing = missingMembers(client)
  registerCodecs()
  const owned = new Set<() => Promise<unknown>>()
  const clusters = new Set<Cluster>()
  let shared: Cluster | undefined
  let closed: Promise<void> | undefined

  function checkOpen(): void {
    if (closed) throw new KafkaError('PIPE_KAFKA_CLOSED', 'This Kafka is closed.', { hint: 'Make a new one with createKafka.' })
  }

  function open(): Cluster {
    checkOpen()
    const cluster = openCluster(client)
    const counted: Cluster = {
      ...cluster,
      close() {
        clusters.delete(counted)
        return cluster.close()
      },
    }
    clusters.add(counted)
    return counted
  }

  const platform = (options.kafkajs === undefined ? options.platform : undefined) ?? 'kafka'
  const resources: KafkaResources = {
    kafkajs: client,
    platform,
    requestTimeoutMs: options.kafkajs === undefined ? durationMs(options.requestTimeout ?? '30 seconds') : 30_000,
    missing,
    cluster: () => {
      checkOpen()
      shared ??= open()
      return shared
    },
    openCluster: open,
    own(close) {
      checkOpen()
      owned.add(close)
      return () => void owned.delete(close)
    },
  }

  async function closeAll(): Promise<void> {
    // First what still has something to say to the brokers, then the connections under it.
    const results = await Promise.allSettled([...owned].map((close) => close()))
    results.push(...(await Promise.allSettled([...clusters].map((cluster) => cluster.close()))))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  const kafka: Kafka = {
    kafkajs: client,
    consumer(consumerOptions) {
      checkOpen()
      return createConsumer(resources, consumerOptions)
    },
    producer(producerOptions) {
      checkOpen()
      if (platform === 'msk-serverless' && (producerOptions?.maxMessageBytes ?? 0) > serverlessLimits.maxMessageBytes) {
        throw new ConfigError(
          `kafka.producer: maxMessageBytes ${producerOptions?.maxMessageBytes} is more than the ${serverlessLimits.maxMessageBytes} of MSK Serverless.`,
          { code: 'PIPE_KAFKA_MSK_SERVERLESS' },
        )
      }
      return createProducer(resources, producerOptions)
    },
    transform(transformOptions) {
      checkOpen()
      return createTransform(resources, transformOptions)
    },
    close() {
      closed ??= closeAll()
      return closed
    },
    [Symbol.asyncDispose]: () => kafka.close(),
  }
  keepResources(kafka, resources)
  return kafka
}

function checkClient(options: { readonly kafkajs: KafkajsClient }): KafkajsClient {
  checkOptions('createKafka with kafkajs', options, { required: ['kafkajs'] })
  const client = options.kafkajs
  if (typeof client !== 'object' || typeof client.producer !== 'function' || typeof client.consumer !== 'function') {
    throw new ConfigError('createKafka: kafkajs must be an instance, new Kafka({ … }) of kafkajs.')
  }
  return client
}

function makeClient(
  options: (ConnectionSettings & { readonly platform?: 'kafka' | undefined }) | ServerlessSettings,
): KafkajsClient {
  checkOptions('createKafka', options, {
    required: ['brokers', 'clientId'],
    optional: ['auth', 'ssl', 'kafkajs', 'platform', 'connectionTimeout', 'requestTimeout', 'onLog'],
  })
  checkPlatform(options)
  const { brokers, clientId, auth, onLog } = options
  if (!Array.isArray(brokers) || brokers.length === 0)
    throw new ConfigError('createKafka: brokers must name at least one broker.')
  for (const broker of brokers) {
    if (typeof broker !== 'string' || !/^[^\s:/]+:\d{1,5}$/.test(broker)) {
      throw new ConfigError(`createKafka: ${JSON.stringify(broker)} is not a broker.`, { hint: "Write 'host:port'." })
    }
  }
  const ssl = options.ssl ?? auth?.mechanism === 'oauthbearer'
  const config: KafkaConfig = {
    brokers: [...brokers],
    clientId,
    connectionTimeout: durationMs(options.connectionTimeout ?? '3 seconds'),
    requestTimeout: durationMs(options.requestTimeout ?? '30 seconds'),
    ssl: ssl as KafkaConfig['ssl'] & {},
    ...(auth ? { sasl: saslOf(auth) } : {}),
    // Waiting and trying again is decided above: by deadlines, not by counts.
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 5 },
    logLevel: onLog ? kafkajs.logLevel.WARN : kafkajs.logLevel.NOTHING,
    logCreator: () => (entry) => {
      const { message, timestamp: _, ...details } = entry.log
      onLog?.({ level: levelNames[entry.level] ?? 'debug', namespace: entry.namespace, message, details })
    },
  }
  return new kafkajs.Kafka(config)
}

function checkPlatform({
  platform,
  auth,
  ssl,
}: Pick<KafkaOptions & ConnectionSettings, 'auth' | 'ssl'> & { readonly platform?: string | undefined }): void {
  if (platform === undefined || platform === 'kafka') return
  if (platform !== 'msk-serverless') {
    throw new ConfigError(`createKafka: there is no platform ${JSON.stringify(platform)}.`, {
      hint: "Known: 'kafka', 'msk-serverless'.",
    })
  }
  if ((auth as Partial<MskIamAuth> | undefined)?.provider !== 'msk-iam') {
    throw new ConfigError('createKafka: MSK Serverless takes IAM only.', {
      code: 'PIPE_KAFKA_MSK_SERVERLESS',
      hint: 'Give auth: mskIam({ region }).',
    })
  }
  if (ssl !== undefined && ssl !== true) {
    throw new ConfigError('createKafka: MSK Serverless takes TLS only, with the certificates of the system. Leave ssl out.', {
      code: 'PIPE_KAFKA_MSK_SERVERLESS',
    })
  }
}

const levelNames: Readonly<Record<number, KafkaLogEntry['level']>> = { 1: 'error', 2: 'warn', 4: 'info', 5: 'debug' }

function saslOf(auth: KafkaAuth): SASLOptions {
  switch (auth.mechanism) {
    case 'plain':
    case 'scram-sha-256':
    case 'scram-sha-512':
      return { mechanism: auth.mechanism, username: auth.username, password: auth.password } as SASLOptions
    case 'oauthbearer':
      return { mechanism: 'oauthbearer', oauthBearerProvider: auth.token }
    default:
      throw new ConfigError(
        `createKafka: there is no auth mechanism ${JSON.stringify((auth as { mechanism: unknown }).mechanism)}.`,
        {
          hint: "Known: 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'.",
        },
      )
  }
}
