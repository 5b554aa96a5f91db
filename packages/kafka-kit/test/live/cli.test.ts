import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { KafkaCluster } from '@pipe/testkit'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createKafka } from '../../src/connect'
import { sharedCluster } from './shared-cluster'
import { target, version } from './versions'

const source = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

describe.skipIf(!target.available)(`the command line against a real cluster${target.note}`, () => {
  let cluster: KafkaCluster
  let dir: string

  beforeAll(async () => {
    cluster = await sharedCluster(version)
    dir = await mkdtemp(join(tmpdir(), 'pipe-kafka-cli-'))
    // In one piece, as it is published: loading the sources takes longer than what they are asked for.
    await build({
      entryPoints: [source],
      outfile: join(dir, 'cli.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['pipe-source'],
      banner: { js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url)" },
      logLevel: 'error',
    })
  }, 180_000)
  afterAll(async () => {
    if (dir) await rm(dir, { recursive: true, force: true })
  })

  function run(
    args: readonly string[],
    env: Readonly<Record<string, string>> = { KAFKA_BROKERS: cluster.bootstrap.join(',') },
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [join(dir, 'cli.mjs'), ...args],
        { cwd: dir, env: { ...process.env, ...env } },
        (error, out, err) => resolve({ code: error ? Number(error.code ?? -1) : 0, out, err }),
      )
    })
  }

  test('topics: plan, check, apply, list', async () => {
    const contract = join(dir, 'contract.mjs')
    // The part of a topic that a plan needs; a real contract imports defineTopic.
    const topic = { kind: 'topic', name: 'cli', partitions: 2, replicationFactor: 3, config: { 'retention.ms': '86400000' } }
    await writeFile(contract, `export const cli = ${JSON.stringify(topic)}\n`)
    const plan = await run(['topics', '--contract', contract, '--check'])
    expect(plan).toMatchObject({ code: 1, out: '+ create cli (2 partitions, 3 replicas)\n' })
    const applied = await run(['topics', '--contract', contract, '--apply'])
    expect(applied.code, applied.err).toBe(0)
    expect(applied.out).toContain('Done and verified')
    expect(await run(['topics', '--contract', contract, '--check'])).toMatchObject({ code: 0, out: '= in line: cli\n' })
    const all = JSON.parse((await run(['topics', '--json'])).out) as { topic: string }[]
    expect(all.find(({ topic: name }) => name === 'cli')).toMatchObject({
      topic: 'cli',
      partitions: 2,
      replicationFactor: 3,
      retentionMs: 86_400_000,
    })
    expect((await run(['topics'])).out).toMatch(/^cli +2 +3 +2 +delete +24 h/m)
  })

  test('replay, lag and undo', async () => {
    await using kafka = createKafka({ brokers: cluster.bootstrap, clientId: 'test' })
    const producer = kafka.kafkajs.producer()
    await producer.connect()
    await producer.send({
      topic: 'cli',
      messages: [
        { value: 'a', partition: 0 },
        { value: 'b', partition: 0 },
      ],
    })
    await producer.disconnect()
    const place = ['replay', '--group', 'billing', '--topic', 'cli', '--from']
    const planned = await run([...place, 'offset:1', '--rate', '10'])
    expect(planned.out).toMatch(/reads 1 record of cli, about < 1 s/)
    expect(planned.err).toContain('Add --apply')
    const applied = await run([...place, 'offset:1', '--apply', '--receipt', 'receipt.json'])
    expect(applied.code, applied.err).toBe(0)
    expect(JSON.parse(await readFile(join(dir, 'receipt.json'), 'utf8'))).toMatchObject({
      kind: 'replay-receipt',
      partitions: [{ partition: 0, after: '1' }, { partition: 1 }],
    })
    const lag = JSON.parse((await run(['lag', '--group', 'billing', '--json'])).out)
    expect(lag.lag).toMatchObject({ group: 'billing', messages: 1, status: 'stopped', state: 'empty' })
    const text = await run(['lag', '--group', 'billing', '--for', '1 seconds'])
    expect(text.out).toMatch(/^cli\[0\] +1 +2 +2 +1 /m)
    expect(text.out).toContain('!! The group has no consumers')
    expect((await run(['lag'])).out).toMatch(/^billing +empty +0 +2 +1 /m)
    const undone = await run(['replay', '--undo', 'receipt.json'])
    expect(undone).toMatchObject({ code: 0, out: expect.stringContaining('cli[0] stands at no offset again') })
  })

  test('redrive: a dry run, then each letter once', async () => {
    await using kafka = createKafka({ brokers: cluster.bootstrap, clientId: 'test' })
    await cluster.createTopic('cli.dead')
    const producer = kafka.producer()
    const headers = {
      'pipe-origin-topic': 'cli',
      'pipe-origin-partition': '1',
      'pipe-origin-offset': '7',
      'pipe-error-code': 'Error',
    }
    await producer.send('cli.dead', { key: 'k', value: 'v', headers: { ...headers, 'pipe-error-message': 'no\u001b[31m' } })
    await producer.send('cli.dead', { value: 'of somebody else' })
    const planned = await run(['redrive', '--from', 'cli.dead'])
    expect(planned.out).toMatch(/^cli +Error +1 +no\\x1b\[31m$/m)
    expect(planned.out).toContain('! 1 records are no dead letters of this kit')
    expect(planned.err).toContain('Add --apply')
    const applied = await run(['redrive', '--from', 'cli.dead', '--apply', '--json'])
    expect(applied.code, applied.err).toBe(0)
    expect(JSON.parse(applied.out).result).toEqual({ redriven: 1, foreign: 1 })
    expect(await run(['redrive', '--from', 'cli.dead', '--apply'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('Nothing to do.'),
    })
  })

  test('cluster', async () => {
    const { out, code } = await run(['cluster', '--check', '--all', '--topics', 'cli'])
    expect(code).toBe(0)
    expect(out).toMatch(/0 offline, 0 under min\.insync\.replicas/)
    expect(out).toMatch(/^cli\[1\] .* ok$/m)
  })

  test('TLS and SCRAM by the environment; a wrong password is told in a sentence', async () => {
    const { bootstrap, ca, username, password } = cluster.secured!
    await writeFile(join(dir, 'ca.pem'), ca)
    const args = ['cluster', '--brokers', bootstrap.join(','), '--ca', 'ca.pem', '--json']
    const found = await run(args, { KAFKA_USERNAME: username, KAFKA_PASSWORD: password })
    expect(found.code, found.err).toBe(0)
    expect(JSON.parse(found.out).brokers).toHaveLength(3)
    const refused = await run(args, { KAFKA_USERNAME: username, KAFKA_PASSWORD: 'wrong' })
    expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^PIPE_KAFKA_AUTH /m) })
    expect(refused.err).not.toContain('    at ')
  })

  test('help, no command, a typo', async () => {
    expect((await run(['replay', '--help'])).out).toContain('--undo')
    expect(await run([])).toMatchObject({ code: 1, out: expect.stringContaining('cluster') })
    expect(await run(['lags'])).toMatchObject({ code: 1, err: expect.stringContaining('topics, lag, replay, cluster, redrive') })
    expect(await run(['lag', '--gruop', 'x'])).toMatchObject({ code: 1, err: expect.stringContaining('no option "--gruop"') })
    expect(await run(['lag'], { KAFKA_BROKERS: '127.0.0.1:1' })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/PIPE_KAFKA_CONNECTION/),
    })
  })
})
