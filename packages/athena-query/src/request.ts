import { sleep } from '@pipe/core'
import { attemptsOf } from './attempts'

/**
 * Makes one call to Athena, again while waiting can help (see {@link attemptsOf}). For calls that may be repeated: all but
 * StartQueryExecution, which the scheduler makes.
 *
 * @throws the signal's reason, unwrapped, when it aborts; else what {@link attemptsOf} throws.
 */
export async function repeat<T>(
  call: string,
  attempt: (signal: AbortSignal | undefined) => Promise<T>,
  options: { readonly signal?: AbortSignal | undefined; readonly id?: string | undefined } = {},
): Promise<T> {
  const { signal } = options
  const attempts = attemptsOf(call, options.id)
  for (;;) {
    signal?.throwIfAborted()
    try {
      return await attempt(signal)
    } catch (error) {
      signal?.throwIfAborted()
      await sleep(attempts.failed(error).pauseMs, signal)
    }
  }
}
