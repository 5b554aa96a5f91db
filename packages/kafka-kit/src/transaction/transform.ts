import { ConfigError, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { AnyTopic } from '../consumer/consumed-record'
import { type Consumer, createConsumer } from '../consumer/consumer'
import type { ConsumerOptions } from '../consumer/consumer-options'
import { driverError } from '../internals'
import type { KafkaResources } from '../kafka-resources'
import { codecOf } from '../producer/compression'
import { partitionerOf } from '../producer/producer-options'
import { createOutputEncoder } from './output'
import { createOutputTopics } from './output-topics'
import { createTransactionDelivery, type TransactionDelivery } from './transaction-delivery'
import { checkTransform } from './transform-check'
import type { TransformOptions, TransformTarget } from './transform-options'

/** A running transform. It is stopped and watched as a consumer is. */
export type Transform = Consumer

const optionNames = [
  'concurrency',
  'order',
  'retry',
  'deadLetter',
  'offsets',
  'buffer',
  'timing',
  'compression',
  'partitioner',
  'durability',
  'onEvent',
  'signal',
]

const defaultOutputBytes = 4 * 1024 * 1024

/**
 * Starts a transform on a connection. See {@link Kafka.transform}.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for options that cannot work, or with which exactly once could not be kept.
 */
export function createTransform<From extends AnyTopic, To extends TransformTarget>(
  resources: KafkaResources,
  options: TransformOptions<From, To>,
): Transform {
  const targets = checkTransformOptions(options)
  // The public functions of kafkajs know neither the fencing by generation nor a wait for pending offsets.
  if (resources.missing.length > 0) throw driverError(resources.missing)
  const { group, from, to, handle, compression, partitioner, durability: _, buffer = {}, timing = {}, ...rest } = options
  const { outputBytes = defaultOutputBytes, ...consumerBuffer } = buffer
  const { transaction = '60 seconds', commitEvery = '100 ms', ...consumerTiming } = timing
  const codec = codecOf('transform', compression ?? 'none')
  const keyPartitioner = partitionerOf('transform', partitioner ?? 'murmur2')
  const transactionMs = durationMs(transaction)
  const names = [...new Set([...targets.map(({ name }) => name), ...(options.deadLetter ? [options.deadLetter.topic] : [])])]
  let delivery: TransactionDelivery

  const consumerOptions: ConsumerOptions<readonly AnyTopic[]> = {
    ...rest,
    group,
    topics: [from],
    buffer: consumerBuffer,
    timing: { commitEvery, ...consumerTiming },
    handle: (record, context) => delivery.handle(record, context),
  }
  return createConsumer(resources, consumerOptions, (context) => {
    // Sockets of its own: a broker answers one request of a connection at a time, and fetches wait for records.
    const cluster = resources.openCluster()
    const topics = createOutputTopics(cluster, names)
    delivery = createTransactionDelivery(context, {
      cluster,
      topics,
      encoder: createOutputEncoder({ to, topics, partitioner: keyPartitioner }),
      codec,
      transactionMs,
      outputBytes,
      handle: handle as never,
      async check(signal) {
        await checkTransform(cluster, names, signal)
        await topics.refresh(signal)
      },
      onEvent: options.onEvent ?? (() => undefined),
    })
    return delivery
  })
}

function checkTransformOptions(options: TransformOptions<AnyTopic, TransformTarget>): readonly AnyTopic[] {
  checkOptions('transform', options, { required: ['group', 'from', 'to', 'handle'], optional: optionNames })
  const { from, to, durability = 'quorum', deadLetter, buffer = {}, timing = {} } = options
  if (durability !== 'quorum') {
    throw new ConfigError(`transform: with durability ${JSON.stringify(durability)} exactly once cannot be kept.`, {
      hint: 'A record that not all in-sync replicas have confirmed may be lost, while the offset of its input stays committed. Leave the option out.',
    })
  }
  const targets: readonly AnyTopic[] = Array.isArray(to) ? to : [to as AnyTopic]
  if (from?.kind !== 'topic') throw new ConfigError('transform: from must be made by defineTopic.')
  if (targets.length === 0 || targets.some((topic) => topic?.kind !== 'topic')) {
    throw new ConfigError('transform: to must be a topic made by defineTopic, or a list of them.')
  }
  for (const { name } of [...targets, ...(deadLetter ? [{ name: deadLetter.topic }] : [])]) {
    if (name === from.name) {
      throw new ConfigError(`transform: ${name} is read and written.`, { hint: 'Each output would be an input again, for ever.' })
    }
  }
  const duplicate = targets.find((topic, i) => targets.some((other, j) => j < i && other.name === topic.name))
  if (duplicate) throw new ConfigError(`transform: topic ${duplicate.name} stands twice in to.`)
  const { outputBytes = defaultOutputBytes } = buffer
  if (!Number.isInteger(outputBytes) || outputBytes < 1) {
    throw new ConfigError(`transform: buffer.outputBytes must be a whole number of at least 1, not ${outputBytes}.`)
  }
  if (timing.transaction !== undefined && durationMs(timing.transaction) < 1000) {
    throw new ConfigError('transform: timing.transaction must be at least 1 second: the time-out of the brokers is not finer.')
  }
  return targets
}
