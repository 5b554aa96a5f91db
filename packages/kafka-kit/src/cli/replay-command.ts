import { readFile, writeFile } from 'node:fs/promises'
import { ConfigError } from '@pipe/core'
import type { CommandOutput } from '@pipe/core/internal'
import type { ArgsDef } from 'citty'
import type { Kafka } from '../connect'
import { count, seconds } from '../figures'
import { partitionKey } from '../leader-request'
import { applyReplay, type ReplayReceipt, undoReplay } from '../replay-apply'
import { planReplay, type ReplayFrom, type ReplayPlan } from '../replay-plan'
import { connectionArgs, listFrom } from './arguments'
import { jsonText, textTable } from './text-table'

/** Options of `replay`. */
export const replayArgs: ArgsDef = {
  ...connectionArgs,
  group: { type: 'string', valueHint: 'id', description: 'The group that reads again' },
  topic: { type: 'string', valueHint: 'name', description: 'The topic' },
  from: {
    type: 'string',
    valueHint: 'beginning|offset:42|offset:0=42,1=7|2026-11-24T00:00:00Z',
    description: 'Where it begins',
  },
  as: { type: 'string', valueHint: 'id', description: 'Read as this new group, and leave the other one alone' },
  partitions: { type: 'string', valueHint: '0,1', description: 'Only these partitions' },
  rate: { type: 'string', valueHint: 'records/s', description: 'How fast the group reads, for the time it takes' },
  apply: { type: 'boolean', default: false, description: 'Do it (the group must have no members)' },
  receipt: {
    type: 'string',
    valueHint: 'file',
    description: 'Where the receipt for --undo goes (default: replay-GROUP-TOPIC-TIME.json)',
  },
  undo: { type: 'string', valueHint: 'receipt file', description: 'Restore the offsets from before' },
}

/** The parsed {@link replayArgs}. */
export interface ReplayArgs {
  readonly json: boolean
  readonly group?: string | undefined
  readonly topic?: string | undefined
  readonly from?: string | undefined
  readonly as?: string | undefined
  readonly partitions?: string | undefined
  readonly rate?: string | undefined
  readonly apply: boolean
  readonly receipt?: string | undefined
  readonly undo?: string | undefined
}

/** Runs `replay`. @returns the exit code. */
export async function replayCommand(
  kafka: Kafka,
  args: ReplayArgs,
  output: CommandOutput,
  signal?: AbortSignal,
): Promise<number> {
  if (args.undo !== undefined) {
    for (const name of ['group', 'topic', 'from', 'as', 'partitions', 'rate', 'apply', 'receipt'] as const)
      if (args[name]) throw new ConfigError(`--undo takes everything from the receipt; leave --${name} out.`)
    await undo(kafka, args.undo, args.json, output, signal)
    return 0
  }
  const { group, topic, from } = args
  if (!group || !topic || !from) throw new ConfigError('replay needs --group, --topic and --from; or --undo with a receipt.')
  const partitions = listFrom(args.partitions)?.map((text) => wholeNumber('--partitions', text))
  const plan = await planReplay(kafka, {
    group,
    topic,
    from: parseFrom(from),
    signal,
    ...(args.as === undefined ? {} : { as: args.as }),
    ...(partitions ? { partitions } : {}),
    ...(args.rate === undefined ? {} : { recordsPerSecond: Number(args.rate) }),
  })
  if (args.json && !args.apply) output.out(jsonText(plan))
  if (!args.json) output.out(planText(plan))
  if (!args.apply) {
    if (!args.json) output.note('Nothing was changed. Add --apply to do it.')
    return 0
  }
  const receipt = await applyReplay(kafka, plan, { signal })
  const file = args.receipt ?? `replay-${fileName(plan.group)}-${fileName(topic)}-${receipt.appliedAtMs}.json`
  try {
    await writeFile(file, `${jsonText(receipt)}\n`, { flag: 'wx' })
  } catch (error) {
    // The offsets are set: without the receipt on the screen nobody could take it back.
    output.out(jsonText(receipt))
    throw new ConfigError(`The offsets are set, but the receipt could not be written to ${file}: ${(error as Error).message}.`, {
      hint: 'It is printed above: keep it, it is what --undo needs.',
      cause: error,
    })
  }
  if (args.json) output.out(jsonText({ plan, receipt, file }))
  else output.out(`The offsets of group ${plan.group} are set. To take it back: replay --undo ${file}`)
  return 0
}

/** @throws ConfigError `PIPE_CONFIG` for a text that is no place to begin. */
export function parseFrom(text: string): ReplayFrom {
  if (text === 'beginning') return 'beginning'
  if (text.startsWith('offset:')) {
    const offset = text.slice('offset:'.length)
    if (/^\d+$/.test(offset)) return { offset: BigInt(offset) }
    if (/^\d+=\d+(,\d+=\d+)*$/.test(offset)) {
      const entries = offset.split(',').map((entry) => entry.split('=') as [string, string])
      return { offset: Object.fromEntries(entries.map(([partition, at]) => [Number(partition), BigInt(at)])) }
    }
  } else if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text)) {
    const timestamp = new Date(text)
    if (!Number.isNaN(timestamp.getTime())) return { timestamp }
  }
  throw new ConfigError(`--from ${JSON.stringify(text)} is no place to begin.`, {
    hint: 'beginning, offset:42, offset:0=42,1=7, or a time with its zone: 2026-11-24T00:00:00Z.',
  })
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new ConfigError(`${option} ${JSON.stringify(text)} is not a number.`)
  return Number(text)
}

function fileName(text: string): string {
  return text.replaceAll(/[^\w.-]/g, '_')
}

function planText(plan: ReplayPlan): string {
  const right = (name: string) => ({ name, align: 'right' as const })
  const eta =
    plan.etaMs === undefined
      ? ''
      : plan.etaMs === Number.POSITIVE_INFINITY
        ? ', never done: as much arrives'
        : `, about ${seconds(plan.etaMs / 1000)}`
  return [
    `Group ${plan.group} (${plan.groupState}) reads ${count(plan.messages)} of ${plan.topic}${eta}`,
    '',
    textTable(
      [
        'PARTITION',
        right('COMMITTED'),
        right('FROM'),
        right('TO'),
        right('RECORDS'),
        right('AGAIN'),
        right('SKIPPED'),
        right('EXPIRED'),
      ],
      plan.partitions.map((one) => [
        partitionKey({ topic: plan.topic, partition: one.partition }),
        one.committed ?? '-',
        one.from,
        one.to,
        one.messages,
        one.again,
        one.skipped,
        `${one.retentionTookAtMost ? '≤ ' : ''}${one.retentionTook}`,
      ]),
    ),
    ...plan.notes.map((note) => `  ${note}`),
  ].join('\n')
}

async function undo(
  kafka: Kafka,
  file: string,
  json: boolean,
  output: CommandOutput,
  signal: AbortSignal | undefined,
): Promise<void> {
  const receipt = await readReceipt(file)
  const undone = await undoReplay(kafka, receipt, { signal })
  if (json) return output.out(jsonText(undone))
  const name = (partition: number) => partitionKey({ topic: undone.topic, partition })
  for (const { partition, offset } of undone.restored) output.out(`${name(partition)} stands at ${offset ?? 'no offset'} again`)
  for (const { partition, offset } of undone.kept)
    output.out(`${name(partition)} was left at ${offset}: the group has read on past its old offset`)
}

/** Offsets are texts in JSON. */
async function readReceipt(file: string): Promise<ReplayReceipt> {
  try {
    const parsed = JSON.parse(await readFile(file, 'utf8')) as { receipt?: unknown }
    // --json prints the receipt inside of an object.
    const receipt = (parsed.receipt ?? parsed) as ReplayReceipt
    if (receipt.kind !== 'replay-receipt') throw new Error('it is no receipt of a replay')
    return {
      ...receipt,
      partitions: receipt.partitions.map(({ partition, before, after }) => ({
        partition,
        before: before === undefined ? undefined : BigInt(before),
        after: BigInt(after),
      })),
    }
  } catch (error) {
    throw new ConfigError(`--undo ${file} cannot be used: ${(error as Error).message}.`, { cause: error })
  }
}
