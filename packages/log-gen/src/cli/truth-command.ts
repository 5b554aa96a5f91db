import type { Duration } from '@pipe/core'
import type { ArgsDef } from 'citty'
import { groundTruth } from '../ground-truth'
import { type LogArgs, logArgs, logFrom, type SpanArgs, spanArgs, spanFrom } from './arguments'
import type { CommandOutput } from './output'

/** Options of `truth`. */
export const truthArgs: ArgsDef = {
  ...spanArgs,
  ...logArgs,
  dedupe: {
    type: 'string',
    valueHint: 'row|column,…',
    description: 'Rows, or rows with equal values in columns, are shown once',
  },
  'allowed-lateness': { type: 'string', valueHint: 'duration', description: 'Later rows are not shown' },
  'allowed-skew': { type: 'string', valueHint: 'duration', description: 'Rows further ahead are not shown' },
}

interface TruthArgs extends LogArgs, SpanArgs {
  readonly dedupe?: string
  readonly 'allowed-lateness'?: string
  readonly 'allowed-skew'?: string
}

/** Prints the ground truth as JSON; whole numbers beyond 2^53 are texts, as are all sums. */
export async function truthCommand(args: TruthArgs, output: CommandOutput): Promise<number> {
  const log = await logFrom(args)
  const { dedupe } = args
  const truth = groundTruth(log, {
    ...spanFrom(args),
    policy: {
      dedupe: dedupe === undefined ? undefined : dedupe === 'row' ? 'row' : dedupe.split(','),
      allowedLateness: args['allowed-lateness'] as Duration | undefined,
      allowedSkew: args['allowed-skew'] as Duration | undefined,
    },
  })
  output.out(JSON.stringify(truth, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value), 2))
  return 0
}
