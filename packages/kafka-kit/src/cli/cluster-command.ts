import type { CommandOutput } from '@pipe/core/internal'
import type { ArgsDef } from 'citty'
import { clusterView, type PartitionView } from '../cluster-view'
import type { Kafka } from '../connect'
import { byteSize, percent } from '../figures'
import { partitionKey } from '../leader-request'
import { electPreferredLeaders } from '../preferred-leaders'
import { connectionArgs, listFrom } from './arguments'
import { jsonText, textTable } from './text-table'

/** Options of `cluster`. */
export const clusterArgs: ArgsDef = {
  ...connectionArgs,
  topics: { type: 'string', valueHint: 'a,b', description: 'Only these topics' },
  'elect-preferred': { type: 'boolean', default: false, description: 'First give leadership back to the preferred brokers' },
  all: { type: 'boolean', default: false, description: 'Show every partition, not only those with a problem' },
  check: {
    type: 'boolean',
    default: false,
    description: 'End with 1 when a partition is offline or under its min.insync.replicas',
  },
}

/** The parsed {@link clusterArgs}. */
export interface ClusterArgs {
  readonly json: boolean
  readonly topics?: string | undefined
  readonly 'elect-preferred': boolean
  readonly all: boolean
  readonly check: boolean
}

/** Runs `cluster`. @returns the exit code. */
export async function clusterCommand(
  kafka: Kafka,
  args: ClusterArgs,
  output: CommandOutput,
  signal?: AbortSignal,
): Promise<number> {
  const topics = listFrom(args.topics)
  if (args['elect-preferred']) {
    const { elected, refused } = await electPreferredLeaders(kafka, { signal, ...(topics ? { topics } : {}) })
    output.note(`${elected.length} partitions are led by their preferred broker again`)
    for (const { reason } of refused) output.note(`! ${reason}`)
  }
  const view = await clusterView(kafka, { signal, ...(topics ? { topics } : {}) })
  const code = args.check && view.offline.length + view.underMinInSync.length > 0 ? 1 : 0
  if (args.json) {
    output.out(jsonText(view))
    return code
  }
  const right = (name: string) => ({ name, align: 'right' as const })
  output.out(
    textTable(
      ['BROKER', 'ADDRESS', 'RACK', right('LEADS'), right('SHOULD LEAD'), right('REPLICAS'), right('SIZE'), ''],
      view.brokers.map((broker) => [
        broker.nodeId,
        broker.address,
        broker.rack ?? '-',
        broker.leads,
        broker.shouldLead,
        broker.replicas,
        broker.bytes === undefined ? '?' : byteSize(broker.bytes),
        broker.isController ? 'controller' : '',
      ]),
    ),
  )
  for (const { sizeProblem } of view.brokers) if (sizeProblem !== undefined) output.out(`! ${sizeProblem}`)
  for (const problem of view.problems) output.out(`! ${problem}`)
  if (view.missingBrokers.length > 0) output.out(`! missing: broker ${view.missingBrokers.join(', ')}`)
  output.out(
    `\n${view.topics} topics, ${view.partitions.length} partitions: ${view.offline.length} offline, ${view.underMinInSync.length} under min.insync.replicas, ${view.atMinInSync.length} at it, ${view.underReplicated.length} under-replicated; ${percent(view.preferredLeaderSkew)} not led by the preferred broker`,
  )
  const shown = args.all ? view.partitions : view.partitions.filter((one) => one.leader === undefined || one.isUnderReplicated)
  if (shown.length > 0) output.out(`\n${partitionTable(shown)}`)
  return code
}

function partitionTable(partitions: readonly PartitionView[]): string {
  const right = (name: string) => ({ name, align: 'right' as const })
  return textTable(
    ['PARTITION', right('LEADER'), right('PREFERRED'), 'REPLICAS', 'IN SYNC', right('MIN'), right('SIZE'), 'STATE'],
    partitions.map((one) => [
      partitionKey(one),
      one.leader ?? 'none',
      one.preferredLeader,
      one.replicas.join(','),
      one.inSync.join(','),
      one.minInSync,
      one.bytes === undefined ? '?' : byteSize(one.bytes),
      stateOf(one),
    ]),
  )
}

function stateOf(one: PartitionView): string {
  if (one.leader === undefined) return 'offline'
  if (one.isUnderMinInSync) return 'under min.insync.replicas'
  if (one.isUnderReplicated) return one.isAtMinInSync ? 'under-replicated, at the minimum' : 'under-replicated'
  return 'ok'
}
