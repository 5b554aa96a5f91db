import { fileURLToPath } from 'node:url'
import type { InvokeResult } from '@pipe/local'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunResult } from '../../src/index'
import { keyOf, type Lake, type LakeServer, line, putLines, startLakes } from '../lake'
import { minimalPolicy } from './policies'

let server: LakeServer
beforeAll(async () => {
  server = await startLakes()
})
afterAll(() => server.close())

const event = { time: '2026-11-24T15:35:00Z' }
const good = line('2026-11-24T15:31:00Z', 'd1', 1.5)

async function deploy(
  engine: 'athena' | 'in-process',
  without?: string,
): Promise<{ lake: Lake; invoke(): Promise<InvokeResult> }> {
  const lake = await server.lake()
  const athena = await lake.athena(lake.compaction())
  const bucket = lake.raw.location.split('/')[2]!
  const policy = minimalPolicy(engine, bucket, athena.database!)
  if (without)
    for (const statement of policy.Statement) statement.Action = statement.Action.filter((action) => action !== without)
  const name = `compactor-${bucket}`
  await server.local.lambda.deploy({
    name,
    entry: fileURLToPath(new URL('./log-compactor.ts', import.meta.url)),
    env: { BUCKET: bucket, DATABASE: athena.database!, ENGINE: engine },
    timeout: '1 minute',
    memoryMb: 512,
    policy: { ...policy, Statement: policy.Statement.filter(({ Action }) => Action.length > 0) },
  })
  await putLines(lake.raw, keyOf('2026-11-24T15:31:00Z'), [good, 'noise'])
  await putLines(lake.raw, keyOf('2026-11-24T15:32:00Z'), [good, good])
  return { lake, invoke: () => server.local.lambda.invoke(name, event) }
}

function resultOf({ payload, functionError, logs }: InvokeResult): RunResult {
  if (functionError) throw new Error(`${JSON.stringify(payload)}\n${logs.join('\n')}`)
  return JSON.parse((payload as { body: string }).body)
}

describe.each(['athena', 'in-process'] as const)('the handler with the %s engine', (engine) => {
  it('commits once when invoked three times at once and again later, with the smallest policy', async () => {
    const { lake, invoke } = await deploy(engine)
    const results = (await Promise.all([invoke(), invoke(), invoke()])).map(resultOf)
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(['already-committed', 'already-committed', 'committed'])
    expect(resultOf(await invoke())).toMatchObject({
      outcome: 'already-committed',
      inputRows: 4,
      outputRows: 3,
      quarantinedRows: 1,
      published: true,
    })
    let commits = 0
    for await (const _ of lake.compacted.list({ prefix: '_pipe/device_logs/commit/' })) commits++
    expect(commits).toBe(1)
    await lake.close()
  }, 120_000)

  it.each([
    's3:PutObject',
    's3:GetObject',
    's3:ListBucket',
    'glue:GetTable',
    'glue:BatchCreatePartition',
    ...(engine === 'athena' ? ['glue:CreateTable', 'glue:GetPartitions'] : []),
  ])(
    'fails by name without %s',
    async (action) => {
      const { lake, invoke } = await deploy(engine, action)
      const { functionError, payload } = await invoke()
      expect(functionError).toBe('Unhandled')
      expect((payload as { errorMessage: string }).errorMessage).toMatch(
        new RegExp(`^PIPE_IAM_DENIED .+ may not ${action} on arn:aws:`),
      )
      await lake.close()
    },
    120_000,
  )
})
