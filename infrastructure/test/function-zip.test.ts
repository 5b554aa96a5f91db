import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { startLocal } from '@pipe/local'
import { unzipSync } from 'fflate'
import { expect, it } from 'vitest'
import { bundle } from '../function-zip'

it('is the same bytes each time, and runs in the Lambda host', async () => {
  const entry = join(import.meta.dirname, '../../examples/bulk-mail/src/fill-queue.ts')
  const { zip, ownBytes } = await bundle(entry)
  expect(Buffer.from((await bundle(entry)).zip).equals(zip)).toBe(true)
  expect(ownBytes).toBeLessThan(zip.length)
  const folder = mkdtempSync(join(tmpdir(), 'pipe-zip-'))
  const sqs = { client: undefined as SQSClient | undefined }
  try {
    const files = unzipSync(zip)
    expect(Object.keys(files)).toEqual(['index.mjs'])
    writeFileSync(join(folder, 'index.mjs'), files['index.mjs']!)
    await using local = await startLocal({ iam: 'off' })
    sqs.client = new SQSClient(local.aws)
    await sqs.client.send(new CreateQueueCommand({ QueueName: 'mails' }))
    const QueueUrl = `${local.url}/000000000000/mails`
    await local.lambda.deploy({
      name: 'fill-queue',
      entry: join(folder, 'index.mjs'),
      env: { QUEUE_URL: QueueUrl },
      timeout: '1 minute',
      memoryMb: 256,
    })
    const { functionError, payloadText } = await local.lambda.invoke('fill-queue', { from: 0, count: 25 })
    expect({ functionError, payloadText }).toEqual({ functionError: undefined, payloadText: '{"filled":25}' })
    const { Attributes } = await sqs.client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))
    expect(Attributes).toMatchObject({ ApproximateNumberOfMessages: '25' })
  } finally {
    sqs.client?.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
})
