import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError } from '@pipe/core'
import type { CommandOutput } from '@pipe/core/internal'
import type { ArgsDef } from 'citty'
import { clusterView } from '../cluster-view'
import { type Kafka, resourcesOf } from '../connect'
import { byteSize, seconds } from '../figures'
import type { Topic } from '../topic'
import { applyTopics, summaryOf } from '../topic-apply'
import { type AllowedLoss, planTopics, type TopicPlan } from '../topic-plan'
import { readConfigs } from '../topic-state'
import { connectionArgs, listFrom } from './arguments'
import { jsonText, textTable } from './text-table'

/** Options of `topics`. */
export const topicsArgs: ArgsDef = {
  ...connectionArgs,
  contract: {
    type: 'string',
    valueHint: 'file.js',
    description: 'Module whose exports are topics: shows what differs from the cluster',
  },
  apply: { type: 'boolean', default: false, description: 'Bring the cluster in line (never destroys)' },
  allow: { type: 'string', valueHint: 'shorter-retention,cleanup-change', description: 'Losses of records that are wanted' },
  check: { type: 'boolean', default: false, description: 'End with 1 when something differs' },
  internal: { type: 'boolean', default: false, description: 'List topics of Kafka itself too' },
}

/** The parsed {@link topicsArgs}. */
export interface TopicsArgs {
  readonly json: boolean
  readonly contract?: string | undefined
  readonly apply: boolean
  readonly allow?: string | undefined
  readonly check: boolean
  readonly internal: boolean
}

/** Runs `topics`. @returns the exit code. */
export async function topicsCommand(
  kafka: Kafka,
  args: TopicsArgs,
  output: CommandOutput,
  signal?: AbortSignal,
): Promise<number> {
  if (args.contract === undefined) {
    for (const name of ['apply', 'check', 'allow'] as const) if (args[name]) throw new ConfigError(`--${name} needs --contract.`)
    await listTopics(kafka, args, output, signal)
    return 0
  }
  const topics = await loadContract(args.contract)
  const plan = await planTopics(kafka, topics, { allow: (listFrom(args.allow) ?? []) as AllowedLoss[], signal })
  if (args.json && !args.apply) output.out(jsonText(plan))
  else showPlan(plan, args.json ? { ...output, out: output.note } : output)
  if (args.apply) {
    const { applied, elapsedMs } = await applyTopics(kafka, plan, {
      signal,
      onProgress: ({ phase, done, total, topic }) => output.progress(`${phase} ${done}/${total}${topic ? ` ${topic}` : ''}`),
    })
    if (args.json) output.out(jsonText({ plan, applied, elapsedMs }))
    else output.out(applied.length === 0 ? 'Nothing to do.' : `Done and verified in ${seconds(elapsedMs / 1000)}.`)
    return 0
  }
  return args.check && plan.actions.length + plan.refused.length > 0 ? 1 : 0
}

async function listTopics(kafka: Kafka, args: TopicsArgs, output: CommandOutput, signal: AbortSignal | undefined): Promise<void> {
  const view = await clusterView(kafka, { signal })
  const names = [...new Set(view.partitions.map(({ topic }) => topic))].filter((name) => args.internal || !name.startsWith('__'))
  const configs = await readConfigs(
    resourcesOf(kafka).cluster(),
    names.map((name) => ({ name, configNames: ['retention.ms'] })),
    signal,
  )
  const topics = names.map((name) => {
    const partitions = view.partitions.filter(({ topic }) => topic === name)
    const retention = configs.get(name)?.['retention.ms']
    return {
      topic: name,
      partitions: partitions.length,
      replicationFactor: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      minInSyncReplicas: partitions[0]!.minInSync,
      cleanup: configs.get(name)?.['cleanup.policy'] ?? '',
      retentionMs: retention && retention !== '-1' ? Number(retention) : undefined,
      bytes: partitions.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
      underReplicated: partitions.filter(({ isUnderReplicated }) => isUnderReplicated).length,
    }
  })
  if (args.json) return output.out(jsonText(topics))
  const right = (name: string) => ({ name, align: 'right' as const })
  output.out(
    textTable(
      [
        'TOPIC',
        right('PARTITIONS'),
        right('REPLICAS'),
        right('MIN IN SYNC'),
        'CLEANUP',
        right('RETENTION'),
        right('SIZE'),
        right('UNDER-REPL.'),
      ],
      topics.map((one) => [
        one.topic,
        one.partitions,
        one.replicationFactor,
        one.minInSyncReplicas,
        one.cleanup,
        one.retentionMs === undefined ? 'forever' : seconds(one.retentionMs / 1000),
        byteSize(one.bytes),
        one.underReplicated,
      ]),
    ),
  )
}

function showPlan(plan: TopicPlan, output: CommandOutput): void {
  for (const action of plan.actions) output.out(`+ ${summaryOf(action)}`)
  for (const { text } of plan.refused) output.out(`! ${text}`)
  for (const note of plan.notes) output.out(`  ${note}`)
  if (plan.unchanged.length > 0) output.out(`= in line: ${plan.unchanged.join(', ')}`)
}

/** The topics that a module exports, by name or as its default export. */
async function loadContract(file: string): Promise<readonly Topic[]> {
  let module: Readonly<Record<string, unknown>>
  try {
    module = await import(pathToFileURL(resolve(file)).href)
  } catch (error) {
    const isTypeScript = (error as { code?: string }).code === 'ERR_UNKNOWN_FILE_EXTENSION'
    throw new ConfigError(`--contract ${file} cannot be loaded: ${(error as Error).message}.`, {
      cause: error,
      hint: isTypeScript ? "Node does not read TypeScript by itself: set NODE_OPTIONS='--import tsx'." : undefined,
    })
  }
  const exported = Object.values(module).flatMap((value) => (Array.isArray(value) ? value : [value]))
  const topics = exported.filter(
    (value): value is Topic => typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'topic',
  )
  if (topics.length === 0)
    throw new ConfigError(`--contract ${file} exports no topic.`, { hint: 'Export what defineTopic returns.' })
  return [...new Set(topics)]
}
