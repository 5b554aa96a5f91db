import type { Deadline } from '@pipe/core'

/** Waits for work, until the deadline at most; rejects with the reason of the signal. */
export async function before(
  work: Promise<void>,
  deadline: Deadline | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  let onAbort: (() => void) | undefined
  const limits: Promise<void>[] = [work]
  if (deadline) limits.push(new Promise((resolve) => (timer = setTimeout(resolve, deadline.remainingMs()))))
  if (signal) {
    limits.push(
      new Promise((_, reject) => {
        onAbort = () => reject(signal.reason)
        signal.addEventListener('abort', onAbort, { once: true })
      }),
    )
  }
  try {
    await Promise.race(limits)
  } finally {
    clearTimeout(timer)
    if (onAbort) signal?.removeEventListener('abort', onAbort)
  }
}
