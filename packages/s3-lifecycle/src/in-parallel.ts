/**
 * Works on items, some at a time, in their order. The first failure stops the start of further ones; it is thrown when those under way have
 * ended, so that nothing goes on behind the caller's back.
 */
export async function inParallel<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, at: number) => Promise<void>,
): Promise<void> {
  let next = 0
  let failure: { readonly error: unknown } | undefined
  const worker = async () => {
    while (failure === undefined && next < items.length) {
      const at = next++
      try {
        await work(items[at]!, at)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, worker))
  if (failure !== undefined) throw (failure as { readonly error: unknown }).error
}
