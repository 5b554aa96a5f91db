import { readFileSync } from 'node:fs'
import { ConfigError, type Duration } from '@pipe/core'
import type { ArgsDef } from 'citty'
import { applyLifecycle } from '../apply'
import { objects } from '../figures'
import { isEmptyPlan, type LifecyclePlan, planLifecycle } from '../plan'
import { formatPlan } from '../plan-text'
import {
  type Arguments,
  type Command,
  type CommandContext,
  jsonArg,
  listFrom,
  listingFrom,
  objectsArgs,
  pricesFrom,
  rulesArgs,
  rulesFrom,
  text,
  wholeFrom,
} from './arguments'
import { jsonText } from './text-table'

const planArgs: ArgsDef = {
  ...rulesArgs,
  bucket: objectsArgs['bucket']!,
  inventory: objectsArgs['inventory']!,
  owner: { type: 'string', valueHint: 'name', description: 'Whose rules these are (default: pipe)' },
  protected: { type: 'string', valueHint: 'a/,b/', description: 'Prefixes that no rule may delete from or move' },
  'look-ahead': { type: 'string', valueHint: "'7 days'", description: 'How far ahead the effect is counted' },
  'no-count': { type: 'boolean', default: false, description: 'Do not list the bucket' },
  prices: { type: 'string', valueHint: 'file', description: 'Another price list (default: us-east-1)' },
  'accept-cost': { type: 'boolean', default: false, description: 'Take transitions that cost more than they save' },
  'convert-v1': { type: 'boolean', default: false, description: 'Turn rules of version 1 of others into version 2' },
  ...jsonArg,
}

async function makePlan(args: Arguments, context: CommandContext): Promise<LifecyclePlan> {
  const bucket = text(args, 'bucket')
  if (bucket === undefined) throw new ConfigError('--bucket is missing.')
  const inventory = text(args, 'inventory') === undefined ? undefined : listingFrom({ inventory: args['inventory'] }, context)
  const [owner, lookAhead] = [text(args, 'owner'), text(args, 'look-ahead') as Duration | undefined]
  return planLifecycle({
    bucket,
    rules: await rulesFrom(args, true),
    protected: listFrom(text(args, 'protected')),
    convertV1: args['convert-v1'] === true,
    acceptCost: args['accept-cost'] === true,
    prices: pricesFrom(args),
    signal: context.signal,
    onProgress: ({ phase, done }) => context.output.progress(`${phase}: ${objects(done)}`),
    ...(args['no-count'] ? { listing: 'none' as const } : inventory ? { listing: inventory } : {}),
    ...(owner !== undefined && { owner }),
    ...(lookAhead !== undefined && { lookAhead }),
  })
}

function show(plan: LifecyclePlan, args: Arguments, { output }: CommandContext): void {
  output.out(args['json'] ? jsonText(plan) : formatPlan(plan))
}

/** Ends with 1 when the plan is refused, with 2 when it changes something. */
export const planCommand: Command = {
  description: 'Shows what rules would change in a bucket, and what they would do',
  args: { ...planArgs, check: { type: 'boolean', default: false, description: 'End with 2 when something would change' } },
  async run(args, context) {
    const plan = await makePlan(args, context)
    show(plan, args, context)
    if (plan.refused.length > 0) return 1
    return args['check'] && !isEmptyPlan(plan) ? 2 : 0
  },
}

/** Applies what it plans, or a plan that was kept. */
export const applyCommand: Command = {
  description: 'Plans and applies, or applies a plan that was kept with plan --json',
  args: {
    ...planArgs,
    plan: { type: 'string', valueHint: 'file', description: 'A plan, instead of --bucket and --rules' },
    'max-delete': { type: 'string', valueHint: 'n', description: 'So many objects may be deleted (default: 0)' },
  },
  async run(args, context) {
    const file = text(args, 'plan')
    const plan = file === undefined ? await makePlan(args, context) : (JSON.parse(readFileSync(file, 'utf8')) as LifecyclePlan)
    const maxDelete = text(args, 'max-delete')
    if (!args['json']) show(plan, args, context)
    const applied = await applyLifecycle(plan, {
      signal: context.signal,
      onProgress: ({ phase, done, total }) => context.output.progress(`${phase}: read ${done}/${total}`),
      ...(maxDelete !== undefined && { maxDelete: wholeFrom('max-delete', maxDelete) }),
    })
    if (args['json']) context.output.out(jsonText(applied))
    else context.output.note(`${applied.outcome}: ${applied.changes.length} rules of ${plan.owner} in ${plan.bucket}`)
    return 0
  },
}
