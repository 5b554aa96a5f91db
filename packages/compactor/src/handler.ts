import { deadlineOf, type HandlerResponse, type LambdaContext, scheduledTimeOf } from '@pipe/core/internal'
import type { Compactor } from './compactor'

/**
 * A Lambda function that compacts at the scheduled time of its event. It answers `{ statusCode, body }`: 200, or 202 when the deadline
 * left something for the next run; `body` is the result as JSON. Failures are thrown, so that Lambda retries them.
 *
 * @example
 * ```ts
 * export const handler = compactorHandler(createCompactor({ compaction, engine: inProcessEngine(), athena }))
 * ```
 */
export function compactorHandler(
  compactor: Pick<Compactor, 'run'>,
): (event: unknown, context?: LambdaContext) => Promise<HandlerResponse> {
  return async (event, context) => {
    const result = await compactor.run({ at: scheduledTimeOf(event), deadline: deadlineOf(context) })
    return { statusCode: result.remaining.length === 0 ? 200 : 202, body: JSON.stringify(result) }
  }
}
