import { CreateEventBusCommand, EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { CreateQueueCommand, ReceiveMessageCommand, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { onS3, type S3ObjectEvent } from '@pipe/events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Local, startLocal, type VirtualClock, virtualClock } from '../../src/index'

const arn = (queue: string) => `arn:aws:sqs:us-east-1:000000000000:${queue}`
const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:told'
let local: Local<VirtualClock>
let s3: S3Client
let sqs: SQSClient
beforeAll(async () => {
  local = await startLocal({ clock: virtualClock('2026-11-24T00:00:00Z') })
  s3 = new S3Client(local.aws)
  sqs = new SQSClient(local.aws)
  for (const Bucket of ['lake', 'bridge']) await s3.send(new CreateBucketCommand({ Bucket }))
})
afterAll(() => local.close())

const lets = (Service: string, sourceArn: string, queue: string) =>
  JSON.stringify({
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service },
        Action: 'sqs:SendMessage',
        Resource: arn(queue),
        Condition: { ArnLike: { 'aws:SourceArn': sourceArn } },
      },
    ],
  })
const create = (QueueName: string, Policy?: string) =>
  sqs.send(new CreateQueueCommand({ QueueName, ...(Policy === undefined ? {} : { Attributes: { Policy } }) }))
const configure = (Bucket: string, NotificationConfiguration: NotificationConfiguration, more: object = {}) =>
  s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration, ...more }))
const put = (Bucket: string, Key: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body: 'four' }))
const received = async (queue: string): Promise<readonly Record<string, never>[]> => {
  await local.clock.advance('1 second')
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: `${local.url}/000000000000/${queue}`, MaxNumberOfMessages: 10 }),
  )
  return Messages.map(({ Body }) => JSON.parse(Body!))
}
/** What `onS3` reads in an event. */
const read = async (event: unknown): Promise<readonly S3ObjectEvent[]> => {
  const objects: S3ObjectEvent[] = []
  await onS3((object) => void objects.push(object))(event)
  return objects
}

it('a queue: a test event, then what the filter takes, with keys written as in a form', async () => {
  const Queue = { QueueArn: arn('changes'), Events: ['s3:ObjectCreated:*' as const, 's3:ObjectRemoved:Delete' as const] }
  const Filter = {
    Key: {
      FilterRules: [
        { Name: 'prefix' as const, Value: 'raw/' },
        { Name: 'suffix' as const, Value: '.gz' },
      ],
    },
  }
  const configuration = { QueueConfigurations: [{ ...Queue, Filter, Id: 'raw' }] }
  const refusal = { name: 'InvalidArgument', message: 'Unable to validate the following destination configurations' }
  await expect(configure('lake', configuration)).rejects.toMatchObject(refusal)
  await create('changes')
  await expect(configure('lake', configuration)).rejects.toMatchObject(refusal)
  const QueueUrl = `${local.url}/000000000000/changes`
  const ofAnother = lets('s3.amazonaws.com', 'arn:aws:s3:::pond', 'changes')
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: ofAnother } }))
  await expect(configure('lake', configuration)).rejects.toMatchObject(refusal)
  const Policy = lets('s3.amazonaws.com', 'arn:aws:s3:::lake', 'changes')
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }))
  await configure('lake', configuration)

  const [test] = await received('changes')
  expect(test).toMatchObject({ Event: 's3:TestEvent', Bucket: 'lake' })
  expect(await read(test)).toEqual([])

  for (const key of ['raw/a b+ü.gz', 'raw/a.txt', 'other/a.gz']) await put('lake', key)
  await s3.send(new DeleteObjectCommand({ Bucket: 'lake', Key: 'raw/a b+ü.gz' }))
  const [created, removed, ...others] = await received('changes')
  expect(others).toEqual([])
  expect(created).toMatchObject({
    Records: [
      {
        eventSource: 'aws:s3',
        eventName: 'ObjectCreated:Put',
        s3: { configurationId: 'raw', object: { key: 'raw/a+b%2B%C3%BC.gz', size: 4 } },
      },
    ],
  })
  const [[one], [two]] = [await read(created), await read(removed)]
  expect(one).toMatchObject({ key: 'raw/a b+ü.gz', sizeBytes: 4, uri: 's3://lake/raw/a b+ü.gz' })
  expect(two).toMatchObject({ key: 'raw/a b+ü.gz', name: 'ObjectRemoved:Delete' })
  expect(two!.sequencer! > one!.sequencer!).toBe(true)

  // A right that is taken away later: the write succeeds, the notification is lost, and told.
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: ofAnother } }))
  await put('lake', 'raw/late.gz')
  expect(await received('changes')).toEqual([])
  expect(local.events.failures.at(-1)).toMatchObject({ functionName: arn('changes'), isFinal: true })
})

it('a function: only when its policy lets S3 in; unless the caller skips the check', async () => {
  const entry = new URL('../lambda/functions/records-events.ts', import.meta.url)
  const configuration = {
    LambdaFunctionConfigurations: [{ LambdaFunctionArn: functionArn, Events: ['s3:ObjectCreated:Put' as const] }],
  }
  await local.lambda.deploy({ name: 'told', entry })
  await expect(configure('lake', configuration)).rejects.toMatchObject({ name: 'InvalidArgument' })
  await configure('lake', configuration, { SkipDestinationValidation: true })
  const permissions = [{ principal: 's3.amazonaws.com', sourceArn: 'arn:aws:s3:::lake' }]
  await local.lambda.deploy({ name: 'told', entry, permissions })
  await configure('lake', configuration)
  await put('lake', 'for a function')
  await local.clock.advance('1 second')
  expect(
    local.lambda
      .logs('told')
      .map(({ message }) => message)
      .join('\n'),
  ).toContain('for+a+function')
})

it('EventBridge: a rule of the default bus takes the event of its bucket', async () => {
  const events = new EventBridgeClient(local.aws)
  const pattern = {
    source: ['aws.s3'],
    'detail-type': ['Object Created', 'Object Deleted'],
    detail: { bucket: { name: ['bridge'] } },
  }
  const { RuleArn } = await events.send(new PutRuleCommand({ Name: 'objects', EventPattern: JSON.stringify(pattern) }))
  await create('bridged', lets('events.amazonaws.com', RuleArn!, 'bridged'))
  await events.send(new PutTargetsCommand({ Rule: 'objects', Targets: [{ Id: 'queue', Arn: arn('bridged') }] }))
  await events.send(new CreateEventBusCommand({ Name: 'other' }))
  await put('bridge', 'before')
  await configure('bridge', { EventBridgeConfiguration: {} })
  await put('bridge', 'a b')
  await s3.send(new DeleteObjectCommand({ Bucket: 'bridge', Key: 'a b' }))
  const found = await received('bridged')
  expect(found).toMatchObject([
    {
      source: 'aws.s3',
      'detail-type': 'Object Created',
      resources: ['arn:aws:s3:::bridge'],
      detail: { bucket: { name: 'bridge' }, object: { key: 'a b', size: 4 }, reason: 'PutObject' },
    },
    { 'detail-type': 'Object Deleted', detail: { 'deletion-type': 'Permanently Deleted' } },
  ])
  expect(await read(found[0])).toMatchObject([{ key: 'a b', sizeBytes: 4, name: 'Object Created' }])
})
