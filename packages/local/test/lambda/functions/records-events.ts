/** Writes its event into the log, waits if told so, and fails if told so. */
export const handler = async (event: { readonly waitMs?: number; readonly fail?: boolean }): Promise<void> => {
  console.log(`event ${JSON.stringify(event)}`)
  await new Promise((resolve) => setTimeout(resolve, event.waitMs ?? 0))
  if (event.fail) throw new Error('told to fail')
  console.log(`done at ${Date.now()}`)
}
