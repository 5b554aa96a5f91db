import {
  applyReplay,
  applyTopics,
  createKafka,
  type Kafka,
  KafkaError,
  lagOf,
  planReplay,
  planTopics,
  type ReplayPlan,
  undoReplay,
} from '@pipe/kafka-kit'
import { startKafka } from '@pipe/local'
import { orders, ordersFrom } from './order'
import { readToTheEnd, type Seen } from './reader'

/** Totals of the story. */
export interface Totals {
  readonly produced: number
  /** Orders that the first group handled. */
  readonly billed: number
  /** Orders that a second group read from the start, while the first one had read all. */
  readonly audited: number
  /** Messages that the plan of the replay says will be read again. */
  readonly planned: number
  /** Orders that were handled again after it was applied. */
  readonly again: number
  /** Messages behind after a second replay was applied … */
  readonly behindBeforeUndo: number
  /** … and after it was taken back. */
  readonly behindAfterUndo: number
  /** One sentence for each thing that is not as it must be. */
  readonly broken: readonly string[]
}

const start = new Date('2026-11-24T15:00:00Z')

/** A topic is read, read by another group, replayed from a moment on, and a replay is taken back. */
export async function playStory(count: number, say: (line: string) => void = () => {}): Promise<Totals> {
  await using cluster = await startKafka({ brokers: 3 })
  await using kafka = createKafka({ brokers: cluster.brokers, clientId: 'replay' })
  await applyTopics(kafka, await planTopics(kafka, [orders]))
  const produced = (await kafka.producer().sendMany(orders, ordersFrom(start, count))).length
  say(`${produced} orders produced to ${orders.partitions} partitions`)

  const lagOfGroup = (group: string) => (left: number) => say(`${group}: lag ${left}`)
  const billed = await readToTheEnd(kafka, 'billing', lagOfGroup('billing'))
  say('Another group reads the same log from the start: what billing has read is still there.')
  const audited = await readToTheEnd(kafka, 'audit', lagOfGroup('audit'))

  const half = new Date(start.getTime() + (count / 2) * 1000)
  const plan = await planReplay(kafka, { group: 'billing', topic: orders, from: { timestamp: half }, recordsPerSecond: 1000 })
  describe(plan, say)
  await applyReplay(kafka, plan)
  const again = await readToTheEnd(kafka, 'billing', lagOfGroup('billing, again'))

  const all = await planReplay(kafka, { group: 'billing', topic: orders, from: 'beginning' })
  const receipt = await applyReplay(kafka, all)
  const behindBeforeUndo = await behind(kafka)
  await undoReplay(kafka, receipt)
  const behindAfterUndo = await behind(kafka)
  say(`A replay of everything, and taken back: lag ${behindBeforeUndo}, then ${behindAfterUndo}`)

  const totals = {
    produced,
    billed: billed.size,
    audited: audited.size,
    planned: plan.messages,
    again: again.size,
    behindBeforeUndo,
    behindAfterUndo,
  }
  return { ...totals, broken: [...broken(totals, count), ...repeated({ billed, audited, again }), ...(await busy(kafka, plan))] }
}

function describe(plan: ReplayPlan, say: (line: string) => void): void {
  say(`Dry run: ${plan.group} would read ${plan.messages} messages again, in about ${((plan.etaMs ?? 0) / 1000).toFixed(1)} s:`)
  for (const { partition, committed, from, to, messages } of plan.partitions) {
    say(`  partition ${partition}: from ${committed} back to ${from}, up to ${to}: ${messages}`)
  }
}

async function behind(kafka: Kafka): Promise<number> {
  return (await lagOf(kafka, 'billing', { topics: [orders] })).messages
}

function broken(totals: Omit<Totals, 'broken'>, count: number): string[] {
  const expected = { ...totals, produced: count, billed: count, audited: count, planned: count / 2, again: count / 2 }
  const all = { ...expected, behindBeforeUndo: count, behindAfterUndo: 0 }
  return (Object.keys(all) as (keyof typeof all)[])
    .filter((name) => totals[name] !== all[name])
    .map((name) => `${name} is ${totals[name]}, not ${all[name]}`)
}

function repeated(reads: Readonly<Record<string, Seen>>): string[] {
  return Object.entries(reads).flatMap(([name, seen]) => {
    const twice = [...seen.values()].filter((times) => times > 1).length
    return twice === 0 ? [] : [`${twice} orders were ${name} more than once`]
  })
}

/** A plan is refused once the group has moved on: applied late, it would set offsets that nobody has looked at. */
async function busy(kafka: Kafka, plan: ReplayPlan): Promise<string[]> {
  try {
    await applyReplay(kafka, { ...plan, partitions: plan.partitions.map((part) => ({ ...part, committed: 0n })) })
    return ['a stale plan was applied']
  } catch (error) {
    return error instanceof KafkaError && error.code === 'PIPE_KAFKA_PLAN_STALE' ? [] : [`a stale plan failed with ${error}`]
  }
}
