import { ConfigError } from '@pipe/core'
import type { Kafka as KafkajsClient } from 'kafkajs'
import type { Cluster } from './internals'
import type { Platform } from './msk-serverless'

/** What the files of this package need of a `Kafka` made by `createKafka`. */
export interface KafkaResources {
  readonly kafkajs: KafkajsClient
  readonly platform: Platform
  /** How long a broker may take to answer, as far as it is known (30 s for a kafkajs instance of the caller). */
  readonly requestTimeoutMs: number
  /** Members that this kafkajs lacks; the kit then works through its public API where it can. */
  readonly missing: readonly string[]
  /** The shared cluster, for short questions. Closed with the Kafka. */
  cluster(): Cluster
  /** A cluster with sockets of its own. Close it; `close()` of the Kafka does so at last, after all that is owned. */
  openCluster(): Cluster
  /** Has `close` called by `close()` of the Kafka, unless the returned function is called before. */
  own(close: () => Promise<unknown>): () => void
}

const registry = new WeakMap<object, KafkaResources>()

/** Keeps the inner side of a Kafka. */
export function keepResources(kafka: object, resources: KafkaResources): void {
  registry.set(kafka, resources)
}

/**
 * The inner side of a Kafka made by `createKafka`.
 *
 * @throws {@link ConfigError} for any other object.
 */
export function resourcesOf(kafka: object): KafkaResources {
  const resources = registry.get(kafka)
  if (!resources) throw new ConfigError('This is not a Kafka made by createKafka of this copy of @pipe/kafka-kit.')
  return resources
}
