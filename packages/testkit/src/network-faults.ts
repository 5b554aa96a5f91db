/** What may happen to one request of an AWS client. */
export type NetworkFault =
  /** The service never sees the request. */
  | 'request-lost'
  /** The service does the work, the answer never arrives. */
  | 'reply-lost'
  /** The service does the work twice; the second answer arrives (as when a client retries behind a lost reply). */
  | 'sent-twice'
  /** The service answers 500 without doing the work. */
  | 'server-error'

interface Stack {
  add(middleware: unknown, options: { step: 'finalizeRequest'; priority: 'low'; name: string; override: boolean }): void
}

type Next = (args: unknown) => Promise<unknown>

/**
 * Makes requests of an AWS SDK client fail on purpose. `decide` sees every attempt (retries of the SDK included) with the name of its
 * command and a running number, and returns the fault, or `undefined` to let it pass. Remove it with the returned function.
 */
export function injectFaults(
  client: { readonly middlewareStack: object },
  decide: (attempt: { readonly command: string; readonly number: number }) => NetworkFault | undefined,
): () => void {
  let number = 0
  const name = 'pipeNetworkFaults'
  const middleware = (next: Next, context: { commandName?: string }) => async (args: unknown) => {
    number += 1
    const fault = decide({ command: context.commandName ?? '', number })
    if (fault === 'request-lost') throw connectionReset('the request was lost')
    if (fault === 'server-error') throw serverError()
    const reply = await next(args)
    if (fault === 'reply-lost') throw connectionReset('the reply was lost')
    return fault === 'sent-twice' ? next(args) : reply
  }
  const stack = client.middlewareStack as Stack & { remove(name: string): boolean }
  // Below the retry middleware, so that the SDK's own retry is exercised too.
  stack.add(middleware, { step: 'finalizeRequest', priority: 'low', name, override: true })
  return () => void stack.remove(name)
}

function connectionReset(message: string): Error {
  return Object.assign(new Error(message), { code: 'ECONNRESET', name: 'TimeoutError', $metadata: {} })
}

function serverError(): Error {
  return Object.assign(new Error('injected server error'), {
    name: 'InternalError',
    $fault: 'server',
    $metadata: { httpStatusCode: 500 },
    $retryable: {},
  })
}
