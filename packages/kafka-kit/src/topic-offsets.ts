import { type Kafka, resourcesOf } from './connect'
import { existingTopics } from './leader-request'
import { answerOf, logOffsets, type PartitionOffsets } from './offsets'

/**
 * Where the logs of a topic begin and end, by partition number.
 *
 * @throws {@link KafkaError} `PIPE_KAFKA_TOPIC` for an unknown topic; what the broker said when a partition has no leader for 15 seconds.
 */
export async function offsetsOf(
  kafka: Kafka,
  topic: { readonly name: string } | string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly PartitionOffsets[]> {
  const cluster = resourcesOf(kafka).cluster()
  const name = typeof topic === 'string' ? topic : topic.name
  const partitions = (await existingTopics(cluster, [name], options.signal)).get(name)!.partitions
  const items = partitions.map(({ partition }) => ({ topic: name, partition }))
  const answers = await logOffsets(cluster, items, { waitMs: 15_000, signal: options.signal })
  return items.map((item) => answerOf(answers, item)).sort((a, b) => a.partition - b.partition)
}
