import { readFileSync, writeFileSync } from 'node:fs'
import { ConfigError } from '@pipe/core'
import { chartSvg, chartText } from '../chart'
import { classTimeline } from '../class-timeline'
import { dayMs } from '../due'
import { expirationHeader } from '../expiration-header'
import { byteSize, count, dateText } from '../figures'
import type { Versioning } from '../key-state'
import { populationsOf } from '../population'
import { type LifecycleEvent, simulateLifecycle } from '../simulate'
import type { StoredObject } from '../stored-object'
import {
  type Arguments,
  bytesFrom,
  type Command,
  type CommandContext,
  dateFrom,
  jsonArg,
  listingFrom,
  objectsArgs,
  rulesArgs,
  rulesFrom,
  text,
  wholeFrom,
} from './arguments'
import { jsonText, textTable } from './text-table'

const maxObjects = 1_000_000

/** Objects of a file, of a listing, or one that the options describe. */
async function objectsFrom(args: Arguments, context: CommandContext): Promise<StoredObject[]> {
  const file = text(args, 'objects')
  if (file !== undefined) {
    const list = JSON.parse(readFileSync(file, 'utf8')) as (StoredObject & { lastModified: string })[]
    const dated = (value: unknown) => (value === undefined ? {} : { value: new Date(value as string) })
    return list.map((object) => ({
      ...object,
      lastModified: new Date(object.lastModified),
      ...(object.noncurrentSince && { noncurrentSince: dated(object.noncurrentSince).value }),
      ...(object.lockedUntil && { lockedUntil: dated(object.lockedUntil).value }),
    }))
  }
  const listing = listingFrom(args, context)
  if (listing !== undefined) {
    const found: StoredObject[] = []
    for await (const object of listing) {
      if (found.push(object) > maxObjects)
        throw new ConfigError(`simulate holds at most ${count(maxObjects)} objects.`, {
          hint: 'Give a --prefix, or use affects and cost, which stream.',
        })
    }
    return found
  }
  const key = text(args, 'key')
  if (key === undefined) throw new ConfigError('Which objects?', { hint: 'Give --key, --objects, --bucket or --inventory.' })
  const written = text(args, 'written')
  return [
    {
      key,
      sizeBytes: bytesFrom('size', text(args, 'size') ?? '1 MiB'),
      lastModified: written === undefined ? new Date() : dateFrom('written', written),
      storageClass: text(args, 'class') ?? 'STANDARD',
    },
  ]
}

/** Shows what happens when. */
export const simulateCommand: Command = {
  description: 'What rules do to objects, day by day',
  args: {
    ...rulesArgs,
    ...objectsArgs,
    objects: { type: 'string', valueHint: 'file', description: 'A JSON list of objects: key, sizeBytes, lastModified, …' },
    key: { type: 'string', valueHint: 'key', description: 'One object with this key' },
    size: { type: 'string', valueHint: "'64 KiB'", description: 'Its size (default: 1 MiB)' },
    written: { type: 'string', valueHint: 'date', description: 'When it was written (default: now)' },
    class: { type: 'string', valueHint: 'CLASS', description: 'Its class (default: STANDARD)' },
    from: { type: 'string', valueHint: 'date', description: 'From when the rules are in force (default: now)' },
    days: { type: 'string', valueHint: 'n', description: 'How many days (default: 400)' },
    versioning: {
      type: 'string',
      valueHint: 'unversioned|enabled|suspended',
      description: 'Default: unversioned; enabled with --versions',
    },
    limit: { type: 'string', valueHint: 'n', description: 'Show so many events (default: 100)' },
    chart: { type: 'string', valueHint: 'file.svg', description: 'Also draw bytes per class over time' },
    ...jsonArg,
  },
  async run(args, context) {
    const { output } = context
    const rules = await rulesFrom(args)
    const objects = await objectsFrom(args, context)
    const start = text(args, 'from')
    const oldest = Math.min(...objects.map(({ lastModified }) => lastModified.getTime()))
    const isOne = text(args, 'key') !== undefined
    const from = start !== undefined ? dateFrom('from', start) : isOne ? new Date(oldest) : new Date()
    const to = new Date(from.getTime() + wholeFrom('days', text(args, 'days') ?? '400', 1) * dayMs)
    const versioning = (text(args, 'versioning') ?? (args['versions'] ? 'enabled' : 'unversioned')) as Versioning
    if (!['unversioned', 'enabled', 'suspended'].includes(versioning))
      throw new ConfigError(`--versioning has no ${JSON.stringify(versioning)}.`)
    const limit = wholeFrom('limit', text(args, 'limit') ?? '100', 1)
    const shown: LifecycleEvent[] = []
    const stays = new Map<string, number>()
    let [events, keys] = [0, 0]
    for (const outcome of simulateLifecycle(rules, objects, { from, to, versioning })) {
      keys++
      events += outcome.events.length
      for (const event of outcome.events) if (shown.length < limit) shown.push(event)
      for (const { reason, rule } of outcome.stays) stays.set(`${reason} (${rule})`, (stays.get(`${reason} (${rule})`) ?? 0) + 1)
      if (keys % 10_000 === 0) output.progress(`${count(keys)} keys`)
    }
    const file = text(args, 'chart')
    if (file !== undefined) {
      const current = objects.filter(({ isLatest = true, isDeleteMarker }) => isLatest && !isDeleteMarker)
      const points = classTimeline({ rules, objects: await populationsOf(rules, current, from), from, to, versioning })
      writeFileSync(file, chartSvg(points))
      output.note(`${chartText(points)}\n${file} written`)
    }
    if (args['json']) {
      const header = isOne ? expirationHeader(rules, objects[0]!) : undefined
      output.out(
        jsonText({ from, to, keys, events: shown, total: events, stays: Object.fromEntries(stays), 'x-amz-expiration': header }),
      )
      return 0
    }
    output.out(
      textTable(
        ['DATE', 'KEY', { name: 'SIZE', align: 'right' }, 'ACTION', 'RULE', 'WHY'],
        shown.map(({ date, key, sizeBytes, action, from: before, to: after, rule, why }) => [
          dateText(date),
          key,
          byteSize(sizeBytes),
          after === undefined ? action : `${before} → ${after}`,
          rule,
          why,
        ]),
      ),
    )
    if (events > shown.length) output.note(`… and ${count(events - shown.length)} more (--limit)`)
    for (const [what, number] of stays) output.note(`stays: ${number} × ${what}`)
    output.note(`${count(keys)} keys, ${count(events)} events from ${dateText(from)} to ${dateText(to)}`)
    return 0
  },
}
