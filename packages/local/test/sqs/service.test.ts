import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal, type VirtualClock, virtualClock } from '../../src/index'

let local: Local<VirtualClock>
let client: SQSClient
beforeAll(async () => {
  local = await startLocal({ clock: virtualClock('2026-11-24T00:00:00Z') })
  client = new SQSClient(local.aws)
})
afterAll(() => local.close())

let made = 0
const create = async (Attributes: Record<string, string> = {}, name = `q${++made}`) => {
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes }))
  return QueueUrl!
}
const send = (QueueUrl: string, MessageBody: string, more: object = {}) =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }))
const receive = async (QueueUrl: string, more: object = {}): Promise<Message[]> => {
  const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, ...more }))
  return Messages
}
const bodies = async (url: string, more?: object) => (await receive(url, more)).map(({ Body }) => Body)
const remove = (QueueUrl: string, { ReceiptHandle }: Message) =>
  client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
const counts = async (QueueUrl: string) => {
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))
  return ['', 'NotVisible', 'Delayed'].map((suffix) => Number(Attributes![`ApproximateNumberOfMessages${suffix}` as 'QueueArn']))
}
const arn = (url: string) => `arn:aws:sqs:us-east-1:000000000000:${url.split('/').at(-1)}`

describe('queues', () => {
  it('are made once, found, listed and deleted', async () => {
    const url = await create({ VisibilityTimeout: '60' }, 'orders')
    expect(url).toBe(`${local.url}/000000000000/orders`)
    expect(await create({ VisibilityTimeout: '60' }, 'orders')).toBe(url)
    await expect(create({ VisibilityTimeout: '61' }, 'orders')).rejects.toThrow('different value for attribute VisibilityTimeout')
    expect((await client.send(new GetQueueUrlCommand({ QueueName: 'orders' }))).QueueUrl).toBe(url)
    expect((await client.send(new ListQueuesCommand({ QueueNamePrefix: 'ord' }))).QueueUrls).toEqual([url])
    await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { DelaySeconds: '5' } }))
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['DelaySeconds', 'QueueArn'] }),
    )
    expect(Attributes).toEqual({ DelaySeconds: '5', QueueArn: arn(url) })
    await client.send(new DeleteQueueCommand({ QueueUrl: url }))
    await expect(client.send(new GetQueueUrlCommand({ QueueName: 'orders' }))).rejects.toMatchObject({
      name: 'QueueDoesNotExist',
    })
    await expect(send(url, 'x')).rejects.toThrow('The specified queue does not exist')
  })

  it.each<[string, Record<string, string>, string, string]>([
    ['a bad name', {}, 'a b', 'Can only include alphanumeric'],
    ['FIFO without .fifo', { FifoQueue: 'true' }, 'x', 'must end with .fifo'],
    ['.fifo without FIFO', {}, 'x.fifo', 'must end with .fifo'],
    ['a number out of bounds', { VisibilityTimeout: '43201' }, 'x', 'VisibilityTimeout: must be a whole number from 0 to 43200'],
    ['an attribute that is not modelled', { KmsMasterKeyId: 'k' }, 'x', 'no attribute KmsMasterKeyId'],
    ['a wrong redrive policy', { RedrivePolicy: '{"maxReceiveCount":0}' }, 'x', 'maxReceiveCount from 1 to 1000'],
    ['a policy that is none', { Policy: '{"Statement":[{"Effect":"Allow"}]}' }, 'x', 'Principal'],
  ])('refuse %s', async (_what, attributes, name, text) => {
    await expect(create(attributes, name)).rejects.toThrow(text)
  })
})

describe('messages', () => {
  it('come with their attributes and sums, are invisible while in flight, and gone when deleted', async () => {
    const url = await create()
    const MessageAttributes = { kind: { DataType: 'String', StringValue: 'ä' }, n: { DataType: 'Number', StringValue: '5' } }
    // The client compares the sums itself.
    const sent = await send(url, 'body ä', { MessageAttributes })
    const [message] = await receive(url, { AttributeNames: ['All'], MessageAttributeNames: ['All'] })
    expect(message).toMatchObject({
      MessageId: sent.MessageId,
      Body: 'body ä',
      Attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(local.clock.now()), SenderId: 'root' },
      MessageAttributes,
      MD5OfMessageAttributes: sent.MD5OfMessageAttributes,
    })
    expect(await counts(url)).toEqual([0, 1, 0])
    expect(await bodies(url)).toEqual([])
    await remove(url, message!)
    await remove(url, message!)
    expect(await counts(url)).toEqual([0, 0, 0])
  })

  it('become visible again on the clock, in their old place, with a new receipt', async () => {
    const url = await create({ VisibilityTimeout: '30' })
    for (const body of ['a', 'b']) await send(url, body)
    const [first] = await receive(url, { MaxNumberOfMessages: 1 })
    await client.send(
      new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle: first!.ReceiptHandle, VisibilityTimeout: 100 }),
    )
    await local.clock.advance('99 seconds')
    expect(await bodies(url, { VisibilityTimeout: 0 })).toEqual(['b'])
    await local.clock.advance('1 second')
    const again = await receive(url, { AttributeNames: ['All'] })
    expect(again.map(({ Body, Attributes }) => [Body, Attributes!['ApproximateReceiveCount']])).toEqual([
      ['a', '2'],
      ['b', '2'],
    ])
    // The old receipt deletes nothing any more.
    await remove(url, first!)
    expect(await counts(url)).toEqual([0, 2, 0])
    await client.send(new PurgeQueueCommand({ QueueUrl: url }))
    await expect(
      client.send(
        new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle: again[0]!.ReceiptHandle, VisibilityTimeout: 0 }),
      ),
    ).rejects.toMatchObject({ name: 'MessageNotInflight' })
    await expect(remove(url, { ReceiptHandle: 'x' })).rejects.toMatchObject({ name: 'ReceiptHandleIsInvalid' })
  })

  it('are delayed and expire on the clock', async () => {
    const url = await create({ MessageRetentionPeriod: '60', DelaySeconds: '5' })
    await send(url, 'late')
    await send(url, 'now', { DelaySeconds: 0 })
    expect(await counts(url)).toEqual([1, 0, 1])
    await local.clock.advance('5 seconds')
    expect(await bodies(url, { VisibilityTimeout: 0 })).toEqual(['late', 'now'])
    await local.clock.advance('1 minute')
    expect(await bodies(url)).toEqual([])
  })

  it('are waited for on the clock', async () => {
    const url = await create()
    const waiting = bodies(url, { WaitTimeSeconds: 20 })
    await send(url, 'here')
    expect(await waiting).toEqual(['here'])
    await client.send(new PurgeQueueCommand({ QueueUrl: url }))
    let isOver = false
    const inVain = bodies(url, { WaitTimeSeconds: 20 }).then((found) => {
      isOver = true
      return found
    })
    await expect
      .poll(async () => {
        await local.clock.advance('10 seconds')
        return isOver
      })
      .toBe(true)
    expect(await inVain).toEqual([])
  })

  it('go to the dead-letter queue when they were received too often', async () => {
    const dead = await create()
    const url = await create({
      VisibilityTimeout: '1',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn(dead), maxReceiveCount: 2 }),
    })
    const { MessageId } = await send(url, 'poison')
    for (let i = 0; i < 2; i++) {
      expect(await bodies(url)).toEqual(['poison'])
      await local.clock.advance('1 second')
    }
    expect(await bodies(url)).toEqual([])
    const [message] = await receive(dead)
    expect(message).toMatchObject({ Body: 'poison', MessageId })
    expect(await counts(url)).toEqual([0, 0, 0])
  })

  it('are sent and deleted in batches, each entry by itself', async () => {
    const url = await create({ MaximumMessageSize: '1024' })
    const entries = [
      { Id: 'a', MessageBody: 'a' },
      { Id: 'b', MessageBody: 'x'.repeat(1025) },
      { Id: 'c', MessageBody: '\u0000' },
    ]
    const { Successful = [], Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: entries }))
    expect([Successful.map(({ Id }) => Id), Failed.map(({ Id, Code }) => [Id, Code])]).toEqual([
      ['a'],
      [
        ['b', 'InvalidParameterValue'],
        ['c', 'InvalidMessageContents'],
      ],
    ])
    const [message] = await receive(url)
    const deleted = await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: url,
        Entries: [
          { Id: '1', ReceiptHandle: message!.ReceiptHandle },
          { Id: '2', ReceiptHandle: 'x' },
        ],
      }),
    )
    expect([deleted.Successful?.length, deleted.Failed?.map(({ Code }) => Code)]).toEqual([1, ['ReceiptHandleIsInvalid']])
    await expect(client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: [] }))).rejects.toMatchObject({
      name: 'EmptyBatchRequest',
    })
    const same = { Id: 'a', MessageBody: 'a' }
    await expect(client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: [same, same] }))).rejects.toMatchObject({
      name: 'BatchEntryIdsNotDistinct',
    })
    await expect(
      client.send(
        new SendMessageBatchCommand({ QueueUrl: url, Entries: Array.from({ length: 11 }, (_, i) => ({ ...same, Id: `${i}` })) }),
      ),
    ).rejects.toMatchObject({ name: 'TooManyEntriesInBatchRequest' })
  })
})

describe('FIFO queues', () => {
  const fifo = (more: Record<string, string> = {}) =>
    create({ FifoQueue: 'true', ContentBasedDeduplication: 'true', ...more }, `q${++made}.fifo`)

  it('hold a group back while something of it is in flight', async () => {
    const url = await fifo({ VisibilityTimeout: '10' })
    for (const [body, MessageGroupId] of [
      ['a1', 'a'],
      ['b1', 'b'],
      ['a2', 'a'],
      ['b2', 'b'],
      ['c1', 'c'],
    ] as const)
      await send(url, body, { MessageGroupId })
    const [first] = await receive(url, { MaxNumberOfMessages: 1 })
    expect(first!.Body).toBe('a1')
    expect(await bodies(url, { MaxNumberOfMessages: 2 })).toEqual(['b1', 'b2'])
    await remove(url, first!)
    expect(await bodies(url)).toEqual(['a2', 'c1'])
    await local.clock.advance('10 seconds')
    expect(await bodies(url)).toEqual(['b1', 'a2', 'b2', 'c1'])
  })

  it('take a message once in five minutes', async () => {
    const url = await fifo()
    const first = await send(url, 'x', { MessageGroupId: 'g' })
    expect(first.SequenceNumber).toMatch(/^\d{20}$/)
    const again = await send(url, 'x', { MessageGroupId: 'g' })
    expect(again.MessageId).toBe(first.MessageId)
    await send(url, 'y', { MessageGroupId: 'g', MessageDeduplicationId: 'own' })
    await send(url, 'z', { MessageGroupId: 'g', MessageDeduplicationId: 'own' })
    await local.clock.advance('5 minutes')
    await send(url, 'x', { MessageGroupId: 'g' })
    expect(await bodies(url)).toEqual(['x', 'y', 'x'])
  })

  it('refuse what belongs to the other kind', async () => {
    const url = await fifo({ ContentBasedDeduplication: 'false' })
    await expect(send(url, 'x')).rejects.toThrow('MessageGroupId')
    await expect(send(url, 'x', { MessageGroupId: 'g' })).rejects.toThrow('ContentBasedDeduplication')
    await expect(send(await create(), 'x', { MessageDeduplicationId: 'd' })).rejects.toThrow('not valid for this queue type')
    await expect(
      create({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn(url), maxReceiveCount: 2 }) }),
    ).rejects.toThrow('standard')
  })
})

it('needs the rights of a caller on the queue', async () => {
  const url = await create({}, 'guarded')
  const policy = { Statement: { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arn(url) } } as const
  const sends = new URL('../lambda/functions/sends-message.ts', import.meta.url)
  await local.lambda.deploy({ name: 'sender', entry: sends, timeout: '20 seconds', policy })
  expect((await local.lambda.invoke('sender', { url, body: 'x' })).payload).toMatch(/^[0-9a-f-]{36}$/)
  expect((await local.lambda.invoke('sender', { url, receives: true })).payload).toMatchObject({
    errorMessage: expect.stringContaining('sqs:ReceiveMessage on resource: "arn:aws:sqs:us-east-1:000000000000:guarded"'),
  })
})
