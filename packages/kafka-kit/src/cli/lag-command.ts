import { ConfigError, type Duration, durationMs } from '@pipe/core'
import type { CommandOutput } from '@pipe/core/internal'
import type { ArgsDef } from 'citty'
import { adviseLag } from '../advise'
import { type Kafka, resourcesOf } from '../connect'
import { KafkaError } from '../errors'
import { figure, seconds } from '../figures'
import { listGroupIds } from '../group-state'
import { lagOf, watchLag } from '../lag'
import type { GroupLag } from '../lag-window'
import { partitionKey } from '../leader-request'
import { connectionArgs, listFrom } from './arguments'
import { jsonText, textTable } from './text-table'

/** Options of `lag`. */
export const lagArgs: ArgsDef = {
  ...connectionArgs,
  group: { type: 'string', valueHint: 'id', description: 'The group (default: all groups, one line each)' },
  topics: { type: 'string', valueHint: 'a,b', description: 'Only these topics' },
  for: {
    type: 'string',
    valueHint: "'10 seconds'",
    description: 'Watch for so long first: tells speeds, and what they call for',
  },
  watch: { type: 'boolean', default: false, description: 'Go on until Ctrl-C' },
  every: { type: 'string', valueHint: "'5 seconds'", description: 'Time between looks' },
  'catch-up-within': { type: 'string', valueHint: "'1 hour'", description: 'In what time the lag should be gone' },
}

/** The parsed {@link lagArgs}. */
export interface LagArgs {
  readonly json: boolean
  readonly group?: string | undefined
  readonly topics?: string | undefined
  readonly for?: string | undefined
  readonly watch: boolean
  readonly every?: string | undefined
  readonly 'catch-up-within'?: string | undefined
}

/** Runs `lag`. @returns the exit code. */
export async function lagCommand(kafka: Kafka, args: LagArgs, output: CommandOutput, signal?: AbortSignal): Promise<number> {
  const topics = listFrom(args.topics)
  const options = { signal, ...(topics ? { topics } : {}) }
  if (args.group === undefined) {
    if (args.watch || args.for !== undefined) throw new ConfigError('--watch and --for need --group.')
    await showAllGroups(kafka, args, options, output)
    return 0
  }
  const catchUpWithin = args['catch-up-within'] as Duration | undefined
  const show = (lag: GroupLag) => {
    const advice = adviseLag(lag, catchUpWithin === undefined ? {} : { catchUpWithin })
    if (args.json) output.out(jsonText({ lag, advice }))
    else output.out(lagText(lag, advice))
  }
  if (!args.watch && args.for === undefined) {
    show(await lagOf(kafka, args.group, options))
    return 0
  }
  const forMs = args.for === undefined ? Number.POSITIVE_INFINITY : durationMs(args.for as Duration)
  // At least two looks, however short the time.
  const every =
    (args.every as Duration | undefined) ?? (forMs < 10_000 ? `${Math.max(100, Math.floor(forMs / 2))} ms` : '5 seconds')
  const startedAt = Date.now()
  let looks = 0
  for await (const lag of watchLag(kafka, args.group, { ...options, every })) {
    const isLast = ++looks > 1 && Date.now() - startedAt >= forMs
    if (args.watch || isLast) show(lag)
    else output.progress(`${lag.messages} unread, ${seconds((startedAt + forMs - Date.now()) / 1000)} to go`)
    if (isLast) break
  }
  return 0
}

async function showAllGroups(
  kafka: Kafka,
  args: LagArgs,
  options: { readonly topics?: readonly string[]; readonly signal: AbortSignal | undefined },
  output: CommandOutput,
): Promise<void> {
  const groups = await listGroupIds(resourcesOf(kafka).cluster(), options.signal)
  const lags: GroupLag[] = []
  for (const [at, group] of groups.entries()) {
    output.progress(`group ${at + 1}/${groups.length}`)
    try {
      lags.push(await lagOf(kafka, group, options))
    } catch (error) {
      // Groups without offsets on these topics, or gone since they were listed, have no lag.
      if (!(error instanceof KafkaError) || error.code !== 'PIPE_KAFKA_GROUP') throw error
    }
  }
  if (args.json) return output.out(jsonText(lags))
  const right = (name: string) => ({ name, align: 'right' as const })
  output.out(
    textTable(
      [
        'GROUP',
        'STATE',
        right('MEMBERS'),
        right('PARTITIONS'),
        right('LAG'),
        right('OLDEST UNREAD'),
        right('ARRIVING/S'),
        'STATUS',
      ],
      lags.map((lag) => [
        lag.group,
        lag.state,
        lag.members.length,
        lag.partitions.length,
        figure(lag.messages),
        lag.seconds === undefined ? '?' : seconds(lag.seconds),
        figure(lag.producedPerSecond),
        lag.status,
      ]),
    ),
  )
}

function lagText(lag: GroupLag, advice: ReturnType<typeof adviseLag>): string {
  const right = (name: string) => ({ name, align: 'right' as const })
  const clients = new Map(lag.members.map(({ memberId, clientId, host }) => [memberId, `${clientId}@${host}`]))
  const table = textTable(
    [
      'PARTITION',
      right('COMMITTED'),
      right('STABLE END'),
      right('LOG END'),
      right('LAG'),
      right('OLDEST UNREAD'),
      right('IN/S'),
      right('OUT/S'),
      'STATUS',
      'CONSUMER',
    ],
    lag.partitions.map((one) => [
      partitionKey(one),
      one.committedOffset ?? '-',
      one.stableOffset,
      one.endOffset,
      figure(one.messages),
      one.seconds === undefined ? '?' : seconds(one.seconds),
      figure(one.producedPerSecond),
      one.consumedPerSecond === undefined ? '?' : figure(one.consumedPerSecond),
      one.status,
      one.memberId === undefined ? '-' : (clients.get(one.memberId) ?? one.memberId),
    ]),
  )
  const lines = [
    `Group ${lag.group}: ${lag.state}, ${lag.members.length} members, ${figure(lag.messages)} unread, ${lag.status}`,
    '',
    table,
    ...lag.unavailable.map(({ reason }) => `! ${reason}`),
  ]
  for (const { severity, text, working } of advice.findings) {
    lines.push('', `${severity === 'critical' ? '!!' : severity === 'warning' ? '!' : '·'} ${text}`)
    lines.push(...working.map((step) => `     ${step}`))
  }
  return lines.join('\n')
}
