import { ConfigError } from '@pipe/core'
import type { CommandOutput } from '@pipe/core/internal'
import type { ArgsDef } from 'citty'
import type { Kafka } from '../connect'
import { applyRedrive, planRedrive, type RedrivePlan } from '../consumer/redrive'
import { count } from '../figures'
import { partitionKey } from '../leader-request'
import { connectionArgs } from './arguments'
import { jsonText, textTable } from './text-table'

/** Options of `redrive`. */
export const redriveArgs: ArgsDef = {
  ...connectionArgs,
  from: { type: 'string', valueHint: 'topic', description: 'The dead-letter topic' },
  to: { type: 'string', valueHint: 'topic', description: 'Where to (default: the topic that each letter came from)' },
  apply: { type: 'boolean', default: false, description: 'Do it' },
}

/** The parsed {@link redriveArgs}. */
export interface RedriveArgs {
  readonly json: boolean
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly apply: boolean
}

/** Runs `redrive`. @returns the exit code. */
export async function redriveCommand(
  kafka: Kafka,
  args: RedriveArgs,
  output: CommandOutput,
  signal?: AbortSignal,
): Promise<number> {
  const { from, to } = args
  if (!from) throw new ConfigError('redrive needs --from with the dead-letter topic.')
  const onProgress = ({ phase, done, total }: { readonly phase: string; readonly done: number; readonly total?: number }) =>
    output.progress(`${phase} ${done}${total === undefined ? '' : `/${total}`} letters`)
  const plan = await planRedrive(kafka, { from, to, signal, onProgress })
  if (args.json && !args.apply) output.out(jsonText(plan))
  if (!args.json) output.out(planText(plan))
  if (!args.apply) {
    if (!args.json && plan.letters > 0) output.note('Nothing was changed. Add --apply to do it.')
    return 0
  }
  const result = await applyRedrive(kafka, plan, { signal, onProgress })
  if (args.json) output.out(jsonText({ plan, result }))
  else
    output.out(
      result.redriven === 0
        ? 'Nothing to do.'
        : `${count(result.redriven)} written back. They stay in ${from}, and are passed over next time.`,
    )
  return 0
}

function planText(plan: RedrivePlan): string {
  const right = (name: string) => ({ name, align: 'right' as const })
  const lines = [`${plan.deadLetterTopic}: ${plan.letters} ${plan.letters === 1 ? 'letter' : 'letters'} to redrive`]
  if (plan.causes.length > 0) {
    lines.push(
      '',
      textTable(
        ['TO', 'ERROR', right('LETTERS'), 'EXAMPLE'],
        plan.causes.map((cause) => [cause.topic, cause.errorCode, cause.count, cause.example.slice(0, 80)]),
      ),
      '',
      textTable(
        ['PARTITION', right('FROM'), right('TO')],
        plan.ranges.map(({ partition, from, to }) => [partitionKey({ topic: plan.deadLetterTopic, partition }), from, to]),
      ),
    )
  }
  if (plan.foreign > 0) lines.push(`! ${plan.foreign} records are no dead letters of this kit; they are left alone`)
  return lines.join('\n')
}
