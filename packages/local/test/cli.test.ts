import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DescribeRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { build } from 'esbuild'
import kafkajs from 'kafkajs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

const { Kafka, logLevel } = kafkajs
const root = fileURLToPath(new URL('..', import.meta.url))
let folder: string
const running: ChildProcess[] = []

beforeAll(async () => {
  // As the build does it: the command line, and beside it what is bundled into functions.
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true })
  folder = mkdtempSync(join(root, 'node_modules/.cache/cli-test-'))
  await build({
    entryPoints: { cli: join(root, 'src/cli.ts'), 'instance-runtime': join(root, 'src/lambda/instance-runtime.ts') },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['pipe-source'],
    external: ['esbuild', '@duckdb/node-api', 'fast-xml-parser', 'citty'],
  })
  writeFileSync(join(folder, 'instance-runtime.js'), "export * from './instance-runtime.mjs'\n")
})
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(...args: string[]) {
  const child = spawn(process.execPath, [join(folder, 'cli.mjs'), ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  running.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const exit = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  return {
    child,
    exit,
    output: () => output,
    async ready() {
      await expect.poll(() => output, { timeout: 20_000 }).toContain('Ctrl-C ends it.')
      const value = (name: string) => new RegExp(`export ${name}=(\\S+)`).exec(output)?.[1] ?? ''
      return {
        endpoint: value('AWS_ENDPOINT_URL'),
        region: value('AWS_REGION'),
        credentials: { accessKeyId: value('AWS_ACCESS_KEY_ID'), secretAccessKey: value('AWS_SECRET_ACCESS_KEY') },
        forcePathStyle: true,
      }
    },
  }
}

describe('pipe-local', () => {
  it('starts Kafka brokers, and makes the topics of the app', async () => {
    writeFileSync(
      join(folder, 'kafka.config.ts'),
      `import { defineApp } from '@pipe/local'
       export default defineApp({ kafka: { brokers: 2, topics: [{ name: 'orders', partitions: 3 }] } })`,
    )
    const started = run('--port', '0', '--kafka-port', '0', '--app', 'kafka.config.ts')
    await started.ready()
    const addresses = /Kafka is at (\S+), (\S+);/.exec(started.output())!
    const admin = new Kafka({ brokers: [addresses[1]!, addresses[2]!], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const { topics } = await admin.fetchTopicMetadata({ topics: ['orders'] })
    expect(topics[0]!.partitions.map(({ replicas }) => replicas.length)).toEqual([2, 2, 2])
    await admin.disconnect()
    started.child.kill('SIGINT')
    expect(await started.exit).toBe(0)
    const wrong = run('--kafka', '4')
    expect([await wrong.exit, wrong.output()]).toEqual([1, expect.stringContaining('--kafka 4 is not 1, 2 or 3')])
  })

  it('runs an app, says how to reach it, and ends with 0 for Ctrl-C; a second run on the folder finds everything', async () => {
    writeFileSync(
      join(folder, 'pipe.config.ts'),
      `import { defineApp } from '@pipe/local'
       const env: Record<string, string> = { BUCKET: 'lake' }
       export default defineApp({
         buckets: ['lake'],
         functions: [{ name: 'writer', entry: '../../../test/lambda/functions/writes-object.ts', env, timeout: '20 seconds', policy: './writer.json' }],
         rules: [{ name: 'daily', schedule: 'cron(0 12 * * ? *)', function: 'writer', input: { time: 'noon' }, enabled: false }],
       })`,
    )
    const policy = { Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::lake/raw/*' }] }
    writeFileSync(join(folder, 'writer.json'), JSON.stringify(policy))
    const first = run('--port', '0', '--dir', './data', '--app', 'pipe.config.ts')
    const aws = await first.ready()
    expect(first.output()).toContain('Functions: writer.')
    const answer = await new LambdaClient(aws).send(new InvokeCommand({ FunctionName: 'writer', Payload: '{"time":"now"}' }))
    expect(answer.Payload?.transformToString()).toContain('raw/now.json')
    expect((await new EventBridgeClient(aws).send(new DescribeRuleCommand({ Name: 'daily' }))).State).toBe('DISABLED')
    first.child.kill('SIGINT')
    expect([await first.exit, first.output()]).toEqual([0, expect.stringContaining('Closing')])

    const second = run('--port=0', '--dir=./data', '--app=pipe.config.ts')
    const again = new S3Client(await second.ready())
    expect((await again.send(new ListObjectsV2Command({ Bucket: 'lake' }))).Contents?.map(({ Key }) => Key)).toEqual([
      'raw/now.json',
    ])
    const { Body } = await again.send(new GetObjectCommand({ Bucket: 'lake', Key: 'raw/now.json' }))
    expect(await Body?.transformToString()).toBe('{"time":"now"}')
    second.child.kill('SIGTERM')
    expect(await second.exit).toBe(0)
  })

  it.each<[string[], string]>([
    [['--prot', '1'], 'has no option "--prot"'],
    [['start'], 'has no option "start"'],
    [['--port', 'many'], '--port many is not a port'],
    [['--port', '0', '--iam', 'maybe'], '"maybe"'],
    [['--port', '0', '--app', 'nowhere.ts'], 'PIPE_LOCAL_APP_FILE'],
  ])('%j is refused with 1', async (args, text) => {
    const { exit, output } = run(...args)
    expect([await exit, output()]).toEqual([1, expect.stringContaining(text)])
    expect(output()).not.toContain('    at ')
  })

  it('says what is wrong with an app', async () => {
    const cases: [string, string][] = [
      ['export default {', 'cannot be bundled'],
      ["throw new Error('no luck')", 'throws: no luck'],
      ['export const app = {}', 'no default export'],
      ['export default { bucket: [] }', 'Did you mean "buckets"?'],
      ["export default { rules: [{ name: 'r', schedule: 'rate(1 minutes)', function: 'f' }] }", 'PIPE_SCHEDULE'],
      ["export default { rules: [{ name: 'r', schedule: 'rate(1 minute)', function: 'f' }] }", 'there is no function "f"'],
      ["export default { buckets: ['NO'] }", 'bucket NO cannot be made: The specified bucket is not valid'],
      ["export default { functions: [{ name: 'f', entry: './a.ts', policy: './none.json' }] }", 'PIPE_LOCAL_POLICY_FILE'],
      ["export default { functions: [{ name: 'f', entry: './a.ts' }] }", 'PIPE_LOCAL_ENTRY'],
    ]
    for (const [i, [source, text]] of cases.entries()) {
      writeFileSync(join(folder, `app-${i}.ts`), source)
      const { exit, output } = run('--port', '0', '--app', `app-${i}.ts`)
      expect([source, await exit, output()]).toEqual([source, 1, expect.stringContaining(text)])
    }
  })

  it('shows its options', async () => {
    const { exit, output } = run('--help')
    expect([await exit, output()]).toEqual([0, expect.stringContaining('--port')])
  })
})
