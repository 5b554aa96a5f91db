import { ConfigError } from '@pipe/core'

/** What kind of cluster it is. `'kafka'`: any that lets topics be configured freely (own brokers, MSK provisioned). */
export type Platform = 'kafka' | 'msk-serverless'

/** Topic configs of Serverless that are set through `config`; those with an option of their own are `retention`, `retentionBytes`, `cleanup`, `maxMessageBytes`. */
export type ServerlessConfig = 'compression.type' | 'message.timestamp.type' | 'message.timestamp.difference.max.ms'

/**
 * Limits of an MSK Serverless cluster that this kit checks, in partitions and bytes. Quotas of an account can be raised; these are the defaults.
 *
 * @see https://docs.aws.amazon.com/msk/latest/developerguide/limits.html#serverless-quota
 * @see https://docs.aws.amazon.com/msk/latest/developerguide/serverless-config.html
 */
export const serverlessLimits: {
  /** Of topics that are not compacted, together. */
  readonly partitions: number
  /** Of compacted topics, together. */
  readonly compactedPartitions: number
  /** That may be created or deleted within five minutes. */
  readonly partitionsInFiveMinutes: number
  readonly maxMessageBytes: number
} = { partitions: 2400, compactedPartitions: 120, partitionsInFiveMinutes: 250, maxMessageBytes: 8 * 1024 * 1024 }

/** Replicas that Serverless keeps of each partition; not ours to set. */
export const serverlessReplicas = { replicationFactor: 3, minInSyncReplicas: 2 } as const

const settable: ReadonlySet<string> = new Set([
  'cleanup.policy',
  'compression.type',
  'max.message.bytes',
  'message.timestamp.difference.max.ms',
  'message.timestamp.type',
  'retention.bytes',
  'retention.ms',
])

/** The part of a contract that Serverless may refuse. */
interface ServerlessSubject {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

function isCompacted({ config }: ServerlessSubject): boolean {
  return config['cleanup.policy']?.includes('compact') ?? false
}

function problemsOf(topic: ServerlessSubject): string[] {
  const { name, config, replicationFactor } = topic
  const problems: string[] = []
  if (replicationFactor !== serverlessReplicas.replicationFactor) {
    problems.push(
      `${name}: replicationFactor ${replicationFactor} cannot be had; MSK Serverless keeps ${serverlessReplicas.replicationFactor} replicas`,
    )
  }
  for (const key of Object.keys(config)) if (!settable.has(key)) problems.push(`${name}: ${key} cannot be set on MSK Serverless`)
  const maxBytes = Number(config['max.message.bytes'] ?? 0)
  if (maxBytes > serverlessLimits.maxMessageBytes) {
    problems.push(`${name}: max.message.bytes ${maxBytes} is more than the ${serverlessLimits.maxMessageBytes} of MSK Serverless`)
  }
  return problems
}

/**
 * Refuses contracts that MSK Serverless would refuse, all reasons at once. Their partitions are counted together; those of other topics of the
 * cluster are not known here.
 *
 * @throws {@link ConfigError} `PIPE_KAFKA_MSK_SERVERLESS`
 */
export function checkServerless(where: string, topics: readonly ServerlessSubject[]): void {
  const problems = topics.flatMap(problemsOf)
  for (const [isOfKind, most, kind] of [
    [(topic: ServerlessSubject) => !isCompacted(topic), serverlessLimits.partitions, 'topics that are not compacted'],
    [isCompacted, serverlessLimits.compactedPartitions, 'compacted topics'],
  ] as const) {
    const partitions = topics.filter(isOfKind).reduce((sum, topic) => sum + topic.partitions, 0)
    if (partitions > most)
      problems.push(`${partitions} partitions of ${kind} are more than the ${most} of an MSK Serverless cluster`)
  }
  if (problems.length === 0) return
  throw new ConfigError(`${where}: ${problems.join('; ')}.`, {
    code: 'PIPE_KAFKA_MSK_SERVERLESS',
    hint: "Define the topics with platform: 'msk-serverless', which takes only what can be set; or use a provisioned cluster.",
  })
}
