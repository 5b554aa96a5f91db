import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import {
  DisableRuleCommand,
  EventBridgeClient,
  ListRulesCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge'
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { type Local, type PolicyDocument, startLocal, virtualClock } from '../src/index'

const writesObject = new URL('./lambda/functions/writes-object.ts', import.meta.url)
const start = '2026-11-24T00:00:00Z'
const open: Local[] = []
const folder = mkdtempSync(join(tmpdir(), 'pipe-runtime-test-'))
afterEach(async () => {
  for (const local of open.splice(0)) await local.close()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const keep = <L extends Local>(local: L): L => {
  open.push(local)
  return local
}
const allowPut: PolicyDocument = {
  Version: '2012-10-17',
  Statement: { Sid: 'Write', Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::lake/raw/*' },
}
const functionArn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`

const permissions = [{ principal: 'events.amazonaws.com' }]

async function schedule(local: Local, rule: string, expression: string, functionName: string): Promise<EventBridgeClient> {
  const events = new EventBridgeClient(local.aws)
  await events.send(new PutRuleCommand({ Name: rule, ScheduleExpression: expression }))
  await events.send(new PutTargetsCommand({ Rule: rule, Targets: [{ Id: '1', Arn: functionArn(functionName) }] }))
  return events
}

describe('startLocal', () => {
  it('fires a rule on the virtual clock into a function that writes to S3 under its own policy', async () => {
    const local = keep(await startLocal({ clock: virtualClock(start) }))
    const s3 = new S3Client(local.aws)
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    await local.lambda.deploy({
      name: 'writer',
      entry: writesObject,
      env: { BUCKET: 'lake' },
      timeout: '30 seconds',
      policy: allowPut,
      permissions,
    })
    const events = await schedule(local, 'each-minute', 'rate(1 minute)', 'writer')
    await local.clock.advance('5 minutes')
    await events.send(new DisableRuleCommand({ Name: 'each-minute' }))
    await local.clock.advance('1 hour')
    expect(local.events.failures).toEqual([])
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'lake' }))
    expect(Contents.map(({ Key }) => Key)).toEqual([1, 2, 3, 4, 5].map((minute) => `raw/2026-11-24T00:0${minute}:00Z.json`))
    // LastModified is virtual time, too.
    expect(Contents[0]?.LastModified).toEqual(new Date('2026-11-24T00:01:00Z'))
    const object = await s3.send(new GetObjectCommand({ Bucket: 'lake', Key: 'raw/2026-11-24T00:03:00Z.json' }))
    expect(JSON.parse(await object.Body!.transformToString())).toMatchObject({
      version: '0',
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account: '000000000000',
      time: '2026-11-24T00:03:00Z',
      region: 'us-east-1',
      resources: ['arn:aws:events:us-east-1:000000000000:rule/each-minute'],
      detail: {},
    })
    expect(local.iam.calls().filter(({ principal }) => principal === 'writer')).toHaveLength(5)
  })

  it('reports a call outside the policy with action, function and resource', async () => {
    const seen: string[] = []
    const local = keep(await startLocal({ clock: virtualClock(start), onFailure: ({ message }) => seen.push(message) }))
    await new S3Client(local.aws).send(new CreateBucketCommand({ Bucket: 'lake' }))
    await local.lambda.deploy({
      name: 'writer',
      entry: writesObject,
      env: { BUCKET: 'lake' },
      timeout: '30 seconds',
      permissions,
    })
    await schedule(local, 'each-minute', 'rate(1 minute)', 'writer')
    await local.clock.advance('1 minute')
    const [failure] = local.events.failures
    expect(failure).toMatchObject({ rule: 'each-minute', functionName: 'writer', at: new Date('2026-11-24T00:01:00Z') })
    expect(JSON.parse(failure!.message)).toMatchObject({
      errorType: 'AccessDenied',
      errorMessage:
        'User: arn:aws:sts::000000000000:assumed-role/writer/writer is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::lake/raw/2026-11-24T00:01:00Z.json" because no identity-based policy allows the s3:PutObject action',
    })
    expect(seen).toEqual([failure!.message])
    // With iam off the same call goes through.
    const free = keep(await startLocal({ clock: virtualClock(start), iam: 'off' }))
    await new S3Client(free.aws).send(new CreateBucketCommand({ Bucket: 'lake' }))
    await free.lambda.deploy({ name: 'writer', entry: writesObject, env: { BUCKET: 'lake' }, timeout: '30 seconds' })
    expect((await free.lambda.invoke('writer', { time: 'now' })).payload).toMatchObject({ statusCode: 200 })
    expect(free.iam.calls()).toContainEqual(
      expect.objectContaining({ principal: 'writer', action: 's3:PutObject', allowed: false }),
    )
  })

  it('finds buckets and rules again in its folder, and fires on', async () => {
    const dir = join(folder, 'kept')
    const first = keep(await startLocal({ dir, clock: virtualClock(start) }))
    const s3 = new S3Client(first.aws)
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'a', Body: 'text' }))
    await schedule(first, 'each-minute', 'rate(1 minute)', 'writer')
    await first.close()
    expect(existsSync(dir)).toBe(true)

    const second = keep(await startLocal({ dir, clock: virtualClock('2026-11-24T06:00:30Z') }))
    await second.lambda.deploy({
      name: 'writer',
      entry: writesObject,
      env: { BUCKET: 'lake' },
      timeout: '30 seconds',
      policy: allowPut,
      permissions,
    })
    await second.clock.advance('1 minute')
    expect(second.events.failures).toEqual([])
    const again = new S3Client(second.aws)
    expect((await again.send(new ListObjectsV2Command({ Bucket: 'lake' }))).Contents?.map(({ Key }) => Key)).toEqual([
      'a',
      // What would have fired while nothing ran is not caught up; the rate still counts from the creation of the rule.
      'raw/2026-11-24T06:01:00Z.json',
    ])
    expect((await new EventBridgeClient(second.aws).send(new ListRulesCommand({}))).Rules).toHaveLength(1)
  })

  it('has a real clock without being told, and removes its temporary folder', async () => {
    const local = await startLocal()
    expect(local.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(local.clock.virtual).toBe(false)
    expect(local.env).toEqual({
      AWS_ENDPOINT_URL: local.url,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: local.aws.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: local.aws.credentials.secretAccessKey,
    })
    const s3 = new S3Client(local.aws)
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'a', Body: 'text' }))
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: 'lake' }))
    expect(Math.abs(Contents![0]!.LastModified!.getTime() - Date.now())).toBeLessThan(5000)
    expect(existsSync(local.dir)).toBe(true)
    await Promise.all([local.close(), local.close(), local[Symbol.asyncDispose]()])
    expect(existsSync(local.dir)).toBe(false)
    await expect(fetch(local.url)).rejects.toThrow()
  })

  it('answers Athena calls, whose engine is loaded by the first query', async () => {
    const local = keep(await startLocal({ clock: virtualClock(start) }))
    await new S3Client(local.aws).send(new CreateBucketCommand({ Bucket: 'lake' }))
    const athena = new AthenaClient(local.aws)
    const { QueryExecutionId } = await athena.send(
      new StartQueryExecutionCommand({
        QueryString: 'SELECT 6 * 7 AS answer',
        ResultConfiguration: { OutputLocation: 's3://lake/results/' },
      }),
    )
    // The clock does not pass an instant at which a query runs.
    await local.clock.advance('1 second')
    const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }))
    expect([QueryExecution?.Status?.StateChangeReason, QueryExecution?.Status?.State]).toEqual([undefined, 'SUCCEEDED'])
    const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId }))
    expect(ResultSet?.Rows?.map(({ Data }) => Data?.[0]?.VarCharValue)).toEqual(['answer', '42'])
  })

  it('refuses what it does not know, and a port that is taken, and leaves nothing behind', async () => {
    await expect(startLocal({ ports: 1 } as never)).rejects.toThrow('Did you mean "port"?')
    await expect(startLocal({ port: -1 })).rejects.toThrow('port is -1')
    await expect(startLocal({ iam: 'strict' as never })).rejects.toThrow('"strict"')
    await expect(startLocal({ dir: '' })).rejects.toThrow('dir is empty')
    writeFileSync(join(folder, 'a-file'), '')
    await expect(startLocal({ dir: join(folder, 'a-file') })).rejects.toThrow(/PIPE_LOCAL_DIR The folder .* cannot be made/)
    const local = keep(await startLocal())
    const dir = join(folder, 'failed')
    await expect(startLocal({ port: Number(new URL(local.url).port), dir })).rejects.toThrow('PIPE_LOCAL_PORT_IN_USE')
    // The folder was given back: another runtime can have it.
    keep(await startLocal({ dir }))
  })

  it('closes while a function is at work', async () => {
    const local = await startLocal()
    await local.lambda.deploy({
      name: 'slow',
      entry: new URL('./lambda/functions/behaviours.ts', import.meta.url),
      timeout: '1 minute',
    })
    const running = local.lambda.invoke('slow', { do: 'hang' }).catch((error: Error) => error.message)
    await delay(300)
    await local.close()
    expect(await running).toContain('PIPE_LOCAL_CLOSED')
  })
})
