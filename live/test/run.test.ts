import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { type Local, startLocal } from '@pipe/local'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { LiveContext } from '../check'
import { verifiedPage } from '../report'
import { athenaSuite } from '../suites/athena'

/** Runs the command to its end. */
function run(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly text: string }> {
  const file = fileURLToPath(new URL('../run.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=pipe-source', file, ...args], {
    env: { ...process.env, ...env },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, text })))
}

let local: Local
let s3: S3Client
beforeAll(async () => {
  local = await startLocal({ kafka: { brokers: 3 } })
  s3 = new S3Client(local.aws)
  await s3.send(new CreateBucketCommand({ Bucket: 'live' }))
})
afterAll(async () => {
  s3.destroy()
  await local.close()
})

test('on the local runtime every claim holds, and nothing is left behind', { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipe-live-'))
  try {
    const report = join(folder, 'verified.md')
    const suites = ['object store', 'event patterns', 'kafka'].flatMap((name) => ['--only', name])
    const brokers = ['--brokers', local.kafka.brokers.join(',')]
    const args = ['--bucket', 'live', '--workgroup', 'primary', ...brokers, ...suites, '--report', report, '--yes']
    const { code, text } = await run(args, local.env)
    expect(text).toMatch(/object store, event patterns, kafka at http:\/\/127.0.0.1:\d+: 0\.\d\d US dollars at most/)
    const page = readFileSync(report, 'utf8')
    expect(page).toContain('| object store | of 20 create-only PUTs at once, one wins, and the object is its | holds |')
    expect(page).toContain('7 claims hold, 0 differ')
    expect(code).toBe(0)
    expect((await s3.send(new ListObjectsV2Command({ Bucket: 'live' }))).KeyCount).toBe(0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the conformance table is asked of Athena; what it answers otherwise is told', async () => {
  for (const [name, value] of Object.entries(local.env)) vi.stubEnv(name, value)
  const context: LiveContext = {
    location: 's3://live/athena/',
    workgroup: 'primary',
    brokers: [],
    runId: 'x',
    signal: new AbortController().signal,
  }
  const checks = await athenaSuite.checks(context)
  const about = (name: string) => checks.find(({ claim }) => claim.includes(` cases of ${name} `))!.run(context)
  expect(await about('unnest')).toBeUndefined()
  // The local Athena refuses one of them by name, which is not what Athena says.
  expect(await about('json')).toMatch(/^SELECT json_array_get\(.* gives NOT_SUPPORTED_LOCALLY, not /)
})

test('without a bucket it says what it needs', async () => {
  const { code, text } = await run([], {})
  expect(code).toBe(2)
  expect(text).toContain('--bucket BUCKET --workgroup WORKGROUP')
})

test('the report names what differs and what was not checked', () => {
  const results = [
    { suite: 'a', claim: 'x', outcome: 'holds', detail: '' },
    { suite: 'a', claim: 'y', outcome: 'differs', detail: '1 | 2' },
    { suite: 'b', claim: 'all of it', outcome: 'skipped', detail: 'no --brokers were given' },
  ] as const
  const page = verifiedPage(results, { at: new Date('2026-11-28T00:00:00Z'), where: 'AWS, region r' })
  expect(page).toContain('1 claims hold, 1 differ')
  expect(page).toContain('| a | y | **differs**: 1 \\| 2 |')
  expect(page).toContain('| b | all of it | **skipped**: no --brokers were given |')
})
