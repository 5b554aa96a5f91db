import { ConfigError } from '@pipe/core'
import { byteSize, dateText, money, objects } from '../figures'
import { listBucket } from '../listing'
import type { RestoreTier } from '../prices'
import { applyRestore, planRestore, waitForRestore } from '../restore'
import { type Command, jsonArg, objectsArgs, pricesFrom, text, wholeFrom } from './arguments'
import { jsonText } from './text-table'

/** Plans a restore, asks for it, waits for it. */
export const restoreCommand: Command = {
  description: 'Brings archived objects back: plan (default), --apply, --wait',
  args: {
    bucket: objectsArgs['bucket']!,
    prefix: objectsArgs['prefix']!,
    tier: { type: 'string', valueHint: 'Expedited|Standard|Bulk', description: 'How fast (default: Bulk)' },
    days: { type: 'string', valueHint: 'n', description: 'Days that the copies stay (default: 1)' },
    prices: { type: 'string', valueHint: 'file', description: 'Another price list (default: us-east-1)' },
    apply: { type: 'boolean', default: false, description: 'Ask for it' },
    'per-second': { type: 'string', valueHint: 'n', description: 'Requests a second (default: 100)' },
    wait: { type: 'boolean', default: false, description: 'With --apply: wait until all can be read' },
    ...jsonArg,
  },
  async run(args, { output, signal }) {
    const bucket = text(args, 'bucket')
    if (bucket === undefined) throw new ConfigError('--bucket is missing.')
    const tier = text(args, 'tier') ?? 'Bulk'
    if (!['Expedited', 'Standard', 'Bulk'].includes(tier)) throw new ConfigError(`--tier has no ${JSON.stringify(tier)}.`)
    const plan = await planRestore({
      bucket,
      objects: listBucket({ bucket, prefix: text(args, 'prefix') ?? '', signal }),
      tier: tier as RestoreTier,
      days: wholeFrom('days', text(args, 'days') ?? '1', 1),
      prices: pricesFrom(args),
    })
    const { skipped, hours } = plan
    if (args['json']) output.out(jsonText({ ...plan, keys: plan.keys.length }))
    else {
      output.out(
        [
          `${objects(plan.objects)}, ${byteSize(plan.bytes)}: ${plan.tier}, ready in ${hours.least}–${hours.most} hours, ${money(plan.price, plan.currency)}, copies until ${dateText(plan.copiesUntil)}`,
          `not asked for: ${skipped.readable} readable, ${skipped.restored} restored, ${skipped.inProgress} in progress`,
          ...plan.warnings.map((warning) => `warning: ${warning}`),
        ].join('\n'),
      )
    }
    if (!args['apply']) return 0
    const show = ({ phase, done, total }: { phase: string; done: number; total: number }) =>
      output.progress(`${phase}: ${done}/${total}`)
    const perSecond = text(args, 'per-second')
    const applied = await applyRestore(plan, {
      signal,
      onProgress: show,
      ...(perSecond !== undefined && { perSecond: wholeFrom('per-second', perSecond, 1) }),
    })
    output.note(`${applied.requested} asked for, ${applied.already} already, ${applied.gone.length} gone`)
    if (args['wait']) await waitForRestore(plan, { signal, onProgress: show })
    return 0
  },
}
