import { checkOptions, deadlineOf, type HandlerResponse, type LambdaContext, scheduledTimeOf } from '@pipe/core/internal'
import type { Compactor } from './compactor'
import { metricsOf } from './metrics'

/** What {@link compactorHandler} may be told. */
export interface HandlerOptions {
  /** Namespace in CloudWatch: prints the numbers of each run in the embedded metric format. Default: prints nothing. */
  readonly metrics?: string | undefined
  /** Whether the partition that had ended is rolled up after the run, while there is time. Default `false`. */
  readonly rollsUp?: boolean | undefined
}

/**
 * A Lambda function that compacts at the scheduled time of its event. It answers `{ statusCode, body }`: 200, or 202 when the deadline
 * left something for the next run; `body` is the result as JSON. Failures are thrown, so that Lambda retries them.
 *
 * @example
 * ```ts
 * export const handler = compactorHandler(createCompactor({ compaction, engine: inProcessEngine(), athena }), { metrics: 'Pipe' })
 * ```
 */
export function compactorHandler(
  compactor: Pick<Compactor, 'run' | 'rollUp' | 'compaction'>,
  options: HandlerOptions = {},
): (event: unknown, context?: LambdaContext) => Promise<HandlerResponse> {
  checkOptions('compactorHandler', options, { optional: ['metrics', 'rollsUp'] })
  const { metrics, rollsUp = false } = options
  return async (event, context) => {
    const at = scheduledTimeOf(event)
    const deadline = deadlineOf(context)
    const result = await compactor.run({ at, deadline })
    if (metrics !== undefined) console.log(metricsOf(compactor.compaction.table.name, result, { namespace: metrics }))
    const hasTime = result.remaining.length === 0 && (deadline === undefined || deadline.remainingMs() > 0)
    const rollUp = rollsUp && hasTime ? await compactor.rollUp({ at }) : undefined
    const body = JSON.stringify(rollUp === undefined ? result : { ...result, rollUp })
    return { statusCode: result.remaining.length === 0 ? 200 : 202, body }
  }
}
