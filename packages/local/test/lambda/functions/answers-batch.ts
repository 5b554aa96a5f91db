/** Logs the bodies of a batch and answers as they say: `fails` always fails, `once` the first time, `malformed` spoils the answer, `throws` throws. */
interface BatchRecord {
  readonly messageId: string
  readonly body: string
  readonly attributes: { readonly ApproximateReceiveCount: string }
}

export const handler = async ({ Records }: { readonly Records: readonly BatchRecord[] }): Promise<unknown> => {
  console.log(`batch ${Records.map(({ body }) => body).join(',')}`)
  if (Records.some(({ body }) => body === 'throws')) throw new Error('told to throw')
  if (Records.some(({ body }) => body === 'malformed')) return { batchItemFailures: [{ itemIdentifier: 'of nobody' }] }
  const failed = Records.findIndex(
    ({ body, attributes }) => body === 'fails' || (body === 'once' && attributes.ApproximateReceiveCount === '1'),
  )
  if (failed < 0) return { batchItemFailures: [] }
  // As a FIFO queue wants it: the first that failed and the rest.
  const isLine = Records.some(({ body }) => body === 'once')
  return {
    batchItemFailures: Records.slice(failed, isLine ? undefined : failed + 1).map(({ messageId }) => ({
      itemIdentifier: messageId,
    })),
  }
}
