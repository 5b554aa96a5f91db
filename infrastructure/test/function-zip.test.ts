import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { startLocal } from '@pipe/local'
import { unzipSync } from 'fflate'
import { expect, it } from 'vitest'
import { bundle } from '../function-zip'

it('is the same bytes each time, and runs in the Lambda host', async () => {
  const entry = join(import.meta.dirname, '../../examples/fan-out/src/place-orders.ts')
  const { zip, ownBytes } = await bundle(entry)
  expect(Buffer.from((await bundle(entry)).zip).equals(zip)).toBe(true)
  expect(ownBytes).toBeLessThan(zip.length)
  const files = unzipSync(zip)
  expect(Object.keys(files)).toEqual(['index.mjs'])
  const folder = mkdtempSync(join(tmpdir(), 'pipe-zip-'))
  try {
    writeFileSync(join(folder, 'index.mjs'), files['index.mjs']!)
    await using local = await startLocal({ iam: 'off' })
    const events = new EventBridgeClient(local.aws)
    await events.send(new CreateEventBusCommand({ Name: 'orders' }))
    events.destroy()
    const env = { BUS: 'orders' }
    await local.lambda.deploy({ name: 'place-orders', entry: join(folder, 'index.mjs'), env, timeout: '1 minute', memoryMb: 256 })
    const { functionError, payloadText } = await local.lambda.invoke('place-orders', { from: 0, count: 25 })
    expect({ functionError, payloadText }).toMatchObject({ functionError: undefined })
    expect(local.events.totals().published).toBe(25)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
