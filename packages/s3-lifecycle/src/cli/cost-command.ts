import { writeFileSync } from 'node:fs'
import { ConfigError } from '@pipe/core'
import { type BreakEven, breakEven } from '../break-even'
import { chartSvg, chartText } from '../chart'
import { classTimeline } from '../class-timeline'
import type { LifecycleConfiguration } from '../configuration'
import { type CostEstimate, estimateCost } from '../cost'
import { dayMs } from '../due'
import { byteSize, count, dateText, money, objects } from '../figures'
import { type Population, populationsOf } from '../population'
import { isTransitionClass, type MinimumSizeMode, minimumSizeModes } from '../storage-class'
import {
  type Arguments,
  bytesFrom,
  type Command,
  type CommandContext,
  dateFrom,
  jsonArg,
  listingFrom,
  objectsArgs,
  pricesFrom,
  rulesArgs,
  rulesFrom,
  text,
  wholeFrom,
} from './arguments'
import { jsonText, textTable } from './text-table'

/** Rules of a file, or the one that `--to` and `--after-days` describe. */
async function rulesOf(args: Arguments): Promise<LifecycleConfiguration> {
  const mode = text(args, 'minimum-size')
  if (mode !== undefined && !minimumSizeModes.includes(mode as MinimumSizeMode))
    throw new ConfigError(`--minimum-size has no ${JSON.stringify(mode)}.`, { hint: minimumSizeModes.join(' or ') })
  const to = text(args, 'to')
  if (to !== undefined && !isTransitionClass(to)) throw new ConfigError(`--to ${JSON.stringify(to)} is no class to move to.`)
  const days = wholeFrom('after-days', text(args, 'after-days') ?? '30')
  const base: LifecycleConfiguration =
    to === undefined
      ? await rulesFrom(args)
      : { Rules: [{ ID: 'move', Status: 'Enabled', Filter: { Prefix: '' }, Transitions: [{ Days: days, StorageClass: to }] }] }
  return mode === undefined ? base : { ...base, TransitionDefaultMinimumObjectSize: mode as MinimumSizeMode }
}

async function populationOf(
  args: Arguments,
  rules: LifecycleConfiguration,
  from: Date,
  context: CommandContext,
): Promise<readonly Population[]> {
  const [total, size] = [text(args, 'total-size'), text(args, 'object-size')]
  if (total !== undefined || size !== undefined) {
    if (total === undefined || size === undefined) throw new ConfigError('--total-size and --object-size belong together.')
    const sizeBytes = bytesFrom('object-size', size)
    if (sizeBytes === 0) throw new ConfigError('--object-size must be more than 0.')
    return [{ count: Math.ceil(bytesFrom('total-size', total) / sizeBytes), sizeBytes }]
  }
  const listing = listingFrom(args, context)
  if (listing === undefined)
    throw new ConfigError('Which objects?', { hint: 'Give --total-size and --object-size, --bucket or --inventory.' })
  return populationsOf(rules, listing, from)
}

/** Prints the bill, what it would be otherwise, and from which size moving pays. */
export const costCommand: Command = {
  description: 'What a bucket costs under some rules, without them, and compacted first',
  args: {
    ...rulesArgs,
    to: { type: 'string', valueHint: 'CLASS', description: 'Instead of --rules: move everything to this class …' },
    'after-days': { type: 'string', valueHint: 'n', description: '… after so many days (default: 30)' },
    ...objectsArgs,
    'total-size': { type: 'string', valueHint: "'1 TiB'", description: 'Instead of --bucket: so many bytes …' },
    'object-size': { type: 'string', valueHint: "'64 KiB'", description: '… in objects of this size' },
    months: { type: 'string', valueHint: 'n', description: 'Months to look ahead (default: 12)' },
    'minimum-size': { type: 'string', valueHint: 'mode', description: 'all_storage_classes_128K or varies_by_storage_class' },
    'compact-to': { type: 'string', valueHint: "'128 MiB'", description: 'Size to compact to, for the comparison' },
    prices: { type: 'string', valueHint: 'file', description: 'Another price list (default: us-east-1)' },
    from: { type: 'string', valueHint: 'date', description: 'Default: the next midnight UTC' },
    chart: { type: 'string', valueHint: 'file.svg', description: 'Also draw bytes per class over time' },
    ...jsonArg,
  },
  async run(args, context) {
    const { output } = context
    const prices = pricesFrom(args)
    const rules = await rulesOf(args)
    const start = text(args, 'from')
    const from = start === undefined ? new Date((Math.floor(Date.now() / dayMs) + 1) * dayMs) : dateFrom('from', start)
    const months = wholeFrom('months', text(args, 'months') ?? '12', 1)
    const population = await populationOf(args, rules, from, context)
    const compactTo = text(args, 'compact-to')
    const options = {
      objects: population,
      from,
      months,
      prices,
      ...(compactTo !== undefined && { compactToBytes: bytesFrom('compact-to', compactTo) }),
    }
    const estimate = estimateCost({ ...options, rules })
    const other = otherMode(rules)
    const otherwise = estimateCost({ ...options, rules: other })
    const table = breakEven({ prices })
    if (args['json']) {
      const { total, verdict } = otherwise
      output.out(
        jsonText({
          ...estimate,
          otherMinimumSize: { mode: other.TransitionDefaultMinimumObjectSize, total, verdict },
          breakEven: table,
        }),
      )
    } else output.out(costText(estimate, rules, otherwise, other, table, population))
    const file = text(args, 'chart')
    if (file !== undefined) {
      const to = new Date(from.getTime() + months * prices.monthDays * dayMs)
      const points = classTimeline({ rules, objects: population, from, to })
      writeFileSync(file, chartSvg(points))
      output.note(`${chartText(points)}\n${file} written`)
    }
    return 0
  },
}

function otherMode(rules: LifecycleConfiguration): LifecycleConfiguration {
  const mode =
    rules.TransitionDefaultMinimumObjectSize === 'varies_by_storage_class'
      ? 'all_storage_classes_128K'
      : 'varies_by_storage_class'
  return { ...rules, TransitionDefaultMinimumObjectSize: mode }
}

function costText(
  estimate: CostEstimate,
  rules: LifecycleConfiguration,
  otherwise: CostEstimate,
  other: LifecycleConfiguration,
  table: readonly BreakEven[],
  population: readonly Population[],
): string {
  const { currency, asOf, region, unverified } = estimate.prices
  const number = population.reduce((sum, one) => sum + one.count, 0)
  const bytes = population.reduce((sum, one) => sum + one.count * one.sizeBytes, 0)
  const right = (name: string) => ({ name, align: 'right' as const })
  const amount = (value: number) => money(value, '').trim()
  const classes = [...new Set(estimate.bills.flatMap(({ storage }) => Object.keys(storage)))]
  const bills = textTable(
    ['MONTH', ...classes.map(right), right('TRANSITIONS'), right('EARLY'), right('OTHER'), right('TOTAL')],
    estimate.bills.map((bill) => [
      dateText(bill.from),
      ...classes.map((name) => amount(bill.storage[name] ?? 0)),
      amount(bill.transitions),
      amount(bill.earlyDelete),
      amount(bill.monitoring + bill.reading),
      amount(bill.total),
    ]),
  )
  const { compactFirst } = estimate
  const mode = rules.TransitionDefaultMinimumObjectSize ?? 'all_storage_classes_128K'
  const figures = textTable(
    [`OVER ${estimate.bills.length} MONTHS`, right(currency)],
    [
      ['left alone', amount(estimate.leaveAlone.total)],
      [`with the rules (${mode})`, amount(estimate.total)],
      [`with the rules (${other.TransitionDefaultMinimumObjectSize})`, amount(otherwise.total)],
      ...(compactFirst
        ? [[`compacted to ${byteSize(compactFirst.objectBytes)} first, then the rules`, amount(compactFirst.total)]]
        : []),
    ],
  )
  const stays = estimate.stays.map(
    (stay) => `stays (${stay.reason}): ${objects(stay.objects)}, ${byteSize(stay.bytes)}, rule ${stay.rule}`,
  )
  return [
    `${objects(number)}, ${byteSize(bytes)}; prices of ${region} as of ${asOf}, ${unverified.length} of them not verified`,
    bills,
    figures,
    ...stays,
    estimate.advice,
    `From which size moving from STANDARD pays:\n${breakEvenText(table)}`,
  ].join('\n\n')
}

/** The table of break-even sizes. */
export function breakEvenText(table: readonly BreakEven[]): string {
  const right = (name: string) => ({ name, align: 'right' as const })
  const size = (bytes: number) =>
    bytes === Number.POSITIVE_INFINITY
      ? 'never'
      : `${bytes / 1024 < 100 ? (bytes / 1024).toFixed(1) : count(Math.round(bytes / 1024))} KiB`
  const months = (value: number) => (value === Number.POSITIVE_INFINITY ? 'never' : `${value.toFixed(1)} months`)
  const [first] = table
  return textTable(
    [
      'CLASS',
      right('STORAGE ALONE'),
      ...first!.smallestBytes.map(({ keptMonths }) => right(`KEPT ${keptMonths} MONTHS`)),
      ...first!.paybackMonths.map(({ sizeBytes }) => right(`${count(sizeBytes / 1024)} KiB PAYS IN`)),
    ],
    table.map((row) => [
      row.storageClass,
      size(row.storageAloneBytes),
      ...row.smallestBytes.map(({ bytes }) => size(bytes)),
      ...row.paybackMonths.map(({ months: value }) => months(value)),
    ]),
  )
}
