import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, it, onTestFinished } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))

it('--serve prints where it is, answers a plain SDK client, and ends with 0 at Ctrl-C', { timeout: 90_000 }, async () => {
  const main = 'examples/log-pipeline/src/main.ts'
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=pipe-source', main, '--serve'], { cwd: root })
  onTestFinished(() => void child.kill('SIGKILL'))
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  await expect.poll(() => printed, { timeout: 60_000 }).toContain('Try, in another terminal')
  const value = (name: string) => new RegExp(`^export ${name}=(\\S+)$`, 'm').exec(printed)?.[1] ?? ''
  const s3 = new S3Client({
    endpoint: value('AWS_ENDPOINT_URL'),
    region: value('AWS_REGION'),
    credentials: { accessKeyId: value('AWS_ACCESS_KEY_ID'), secretAccessKey: value('AWS_SECRET_ACCESS_KEY') },
    forcePathStyle: true,
  })
  expect((await s3.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).toEqual(['lake'])
  s3.destroy()
  child.kill('SIGINT')
  expect(await exit).toBe(0)
  expect(printed).toContain('Closing …')
})
