import { ConfigError } from '@pipe/core'
import { type Affected, wouldAffect } from '../affected'
import { byteSize, count, dateText, objects } from '../figures'
import { type Command, dateFrom, jsonArg, listingFrom, objectsArgs, rulesArgs, rulesFrom, text } from './arguments'
import { jsonText, textTable } from './text-table'

/** Counts what rules would do. */
export const affectsCommand: Command = {
  description: 'What rules would delete and move, over a listing or an S3 Inventory',
  args: {
    ...rulesArgs,
    ...objectsArgs,
    at: { type: 'string', valueHint: 'date', description: 'What is due by then (default: now)' },
    'max-delete': { type: 'string', valueHint: 'n', description: 'End with 1 when more would be deleted' },
    ...jsonArg,
  },
  async run(args, context) {
    const rules = await rulesFrom(args)
    const listing = listingFrom(args, context)
    if (listing === undefined) throw new ConfigError('Which objects?', { hint: 'Give --bucket or --inventory.' })
    const at = text(args, 'at')
    const found = await wouldAffect(rules, listing, {
      at: at === undefined ? new Date() : dateFrom('at', at),
      signal: context.signal,
      onProgress: ({ done }) => context.output.progress(objects(done)),
    })
    context.output.out(args['json'] ? jsonText(found) : affectedText(found))
    const most = text(args, 'max-delete')
    return most !== undefined && found.deletes.objects + found.deleteMarkers.objects > Number(most) ? 1 : 0
  },
}

function affectedText({ at, scanned, groups, unplaced }: Affected): string {
  const right = (name: string) => ({ name, align: 'right' as const })
  const table = textTable(
    ['ACTION', 'RULE', right('OBJECTS'), right('SIZE'), 'DUE', 'FIRST KEY', 'BELOW'],
    groups.map((group) => {
      const below = group.prefixes.slice(0, 3).map(({ prefix, objects: number }) => `${prefix || '(no folder)'} ${count(number)}`)
      const more = group.prefixes.length > 3 || group.otherPrefixes.objects > 0 ? ', …' : ''
      const what = group.action === 'stays' ? `stays: ${group.reason}` : group.to === undefined ? group.action : `→ ${group.to}`
      return [
        what,
        group.rule,
        count(group.objects),
        byteSize(group.bytes),
        dateText(group.earliestDue),
        group.first[0]?.key ?? '',
        below.join(', ') + more,
      ]
    }),
  )
  const lines = [
    groups.length === 0 ? 'nothing is due' : table,
    `${objects(scanned.objects)}, ${byteSize(scanned.bytes)} by ${dateText(at)}`,
  ]
  if (unplaced.objects > 0)
    lines.push(
      `${objects(unplaced.objects)} are noncurrent versions without their successor in the listing: nothing can be said about them`,
    )
  return lines.join('\n\n')
}
