import { readFile } from 'node:fs/promises'
import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { CreateEventSourceMappingCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { applyRules, planRules, type RuleSpec } from '@pipe/events'
import type { Local, PolicyDocument } from '@pipe/local'
import { patterns } from './contracts'

export const arnOf = {
  queue: (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`,
  function: (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
}

/** The services behind queues, and their rules' names. */
export const queued = ['invoice', 'payment'] as const

/** The rules of the bus: who gets what. */
export const rules: readonly RuleSpec[] = [
  ...queued.map((name) => ({
    name,
    bus: 'orders',
    pattern: patterns.all,
    targets: [{ id: 'queue', arn: arnOf.queue(name), deadLetterArn: arnOf.queue('dead') }],
  })),
  {
    name: 'alert',
    bus: 'orders',
    pattern: patterns.big,
    targets: [{ id: 'function', arn: arnOf.function('big-order-alert'), deadLetterArn: arnOf.queue('dead') }],
  },
]

/** Lets the rules of the bus put messages into a queue. */
const fromRules = (queue: string): PolicyDocument =>
  ({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: arnOf.queue(queue),
        Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:events:us-east-1:000000000000:rule/orders/shop-*' } },
      },
    ],
  }) as unknown as PolicyDocument

/** The policy of a function. */
export async function policyOf(name: string): Promise<PolicyDocument> {
  return JSON.parse(await readFile(new URL(`../policies/${name}.json`, import.meta.url), 'utf8')) as PolicyDocument
}

/** Deploys a function, with another policy than its own if one is given. */
export async function deployFunction(local: Pick<Local, 'lambda'>, name: string, policy?: PolicyDocument): Promise<void> {
  await local.lambda.deploy({
    name,
    entry: new URL(`./${name}.ts`, import.meta.url),
    env: name === 'place-orders' ? { BUS: 'orders' } : { BUCKET: 'shop' },
    // In real time: a loaded machine needs longer than AWS does. A run that is cut off between its work and its record is done again.
    timeout: '60 seconds',
    memoryMb: 256,
    // Each instance is a process of this machine.
    maxInstances: 2,
    policy: policy ?? (await policyOf(name)),
  })
}

/** Everything, in an account where nothing is. */
export async function deploy(local: Pick<Local, 'aws' | 'lambda'>): Promise<void> {
  const clients = {
    s3: new S3Client(local.aws),
    sqs: new SQSClient(local.aws),
    events: new EventBridgeClient(local.aws),
    lambda: new LambdaClient(local.aws),
  }
  await clients.s3.send(new CreateBucketCommand({ Bucket: 'shop' }))
  await clients.events.send(new CreateEventBusCommand({ Name: 'orders' }))
  for (const name of ['dead', ...queued]) {
    // Six times the time-out of the function, as AWS recommends. An hour of failures is survived.
    const Redrive =
      name === 'dead' ? {} : { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf.queue('dead'), maxReceiveCount: 60 }) }
    const Attributes = { VisibilityTimeout: '60', Policy: JSON.stringify(fromRules(name)), ...Redrive }
    await clients.sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }))
  }
  for (const name of ['place-orders', ...queued, 'big-order-alert']) await deployFunction(local, name)
  for (const name of queued) {
    const mapping = {
      FunctionName: name,
      EventSourceArn: arnOf.queue(name),
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures' as const],
      ScalingConfig: { MaximumConcurrency: 2 },
    }
    await clients.lambda.send(new CreateEventSourceMappingCommand(mapping))
  }
  const plan = await planRules({ owner: 'shop', rules, client: clients.events, lambda: clients.lambda })
  await applyRules(plan, { client: clients.events, lambda: clients.lambda })
  for (const client of Object.values(clients)) client.destroy()
}
