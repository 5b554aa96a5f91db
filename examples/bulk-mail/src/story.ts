import { readFile } from 'node:fs/promises'
import { CreateEventSourceMappingCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { createObjectStore } from '@pipe/core'
import { type Local, type PolicyDocument, startLocal, virtualClock } from '@pipe/local'
import { type SinkVerdict, startSmtpSink } from './smtp-sink'
import { userOf } from './user'

/** What became of the users. */
export interface Totals {
  readonly users: number
  readonly sent: number
  /** Addresses that do not exist. */
  readonly refused: number
  /** Mails whose end nobody knows; they did arrive, once. */
  readonly unknown: number
  /** Mails that the server turned away for the moment, and that came again. */
  readonly retried: number
  readonly deadLettered: number
  readonly lost: number
  readonly doubled: number
  readonly broken: readonly string[]
}

const queueArn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`

/** The server is busy for one user in seven, knows one in fifty not, and hangs up on one in a hundred after it has taken the mail. */
function verdictOf(address: string, attempt: number): SinkVerdict {
  const number = Number(/\d+/.exec(address)![0])
  if (number % 50 === 3) return 'unknown-user'
  if (number % 7 === 0 && attempt === 0) return 'busy'
  return number % 100 === 11 ? 'accept-and-hang-up' : 'accept'
}

/** Mails to many users, with a server that fails, users that come twice and a message that is none. */
export async function playStory(users: number, log: (line: string) => void): Promise<Totals> {
  let busy = 0
  const sink = await startSmtpSink((address, attempt) => {
    const verdict = verdictOf(address, attempt)
    if (verdict === 'busy') busy++
    return verdict
  })
  try {
    await using local = await startLocal({ clock: virtualClock('2026-11-24T09:00:00Z') })
    const sqs = new SQSClient(local.aws)
    await deploy(local, sqs, sink.port)
    log(`${users} users go into the queue, the first twenty of them twice, and a message that is none`)
    const { functionError, payloadText } = await local.lambda.invoke('fill-queue', { from: 0, count: users })
    if (functionError) throw new Error(payloadText)
    const QueueUrl = `${local.url}/000000000000/mails`
    for (let number = 0; number < Math.min(20, users); number++) {
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(userOf(number)) }))
    }
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"id": 7}' }))
    // Three receipts of the poison, a visibility time-out each.
    await local.clock.advance('10 minutes')
    log(`the server was busy ${busy} times; those came again after their visibility time-out`)

    const marks = createObjectStore({ location: 's3://mail/marks/november/', client: new S3Client(local.aws) })
    const outcomes = new Map<string, string>()
    for await (const { key } of marks.list()) {
      const { to, outcome } = JSON.parse(await (await marks.get(key))!.text()) as {
        readonly to: string
        readonly outcome: string
      }
      outcomes.set(to, outcome)
    }
    const count = (outcome: string) => [...outcomes.values()].filter((one) => one === outcome).length
    const expected = Array.from({ length: users }, (_, number) => userOf(number).email)
    const lost = expected.filter((email) => !sink.mails.has(email) && outcomes.get(email) !== 'refused').length
    const doubled = [...sink.mails.values()].filter((mails) => mails > 1).length
    const deadLettered = await messagesIn(sqs, `${local.url}/000000000000/dead`)
    const left = await messagesIn(sqs, QueueUrl)
    sqs.destroy()
    const wanted = (test: (verdict: SinkVerdict) => boolean) => expected.filter((email) => test(verdictOf(email, 1))).length
    const broken = [
      ...(lost === 0 ? [] : [`${lost} users got no mail.`]),
      ...(doubled === 0 ? [] : [`${doubled} users got more than one mail.`]),
      ...(left === 0 ? [] : [`${left} messages are left in the queue.`]),
      ...(deadLettered === 1 ? [] : [`${deadLettered} messages in the dead-letter queue instead of 1.`]),
      ...(count('begun') === 0 ? [] : [`${count('begun')} mails were begun and not ended.`]),
      ...(count('refused') === wanted((verdict) => verdict === 'unknown-user')
        ? []
        : ['The refused addresses are not those that do not exist.']),
      ...(count('unknown') === wanted((verdict) => verdict === 'accept-and-hang-up')
        ? []
        : ['The mails of unknown end are not those hung up on.']),
      ...(busy > 0 ? [] : ['The server was never busy: the failure was not injected.']),
    ]
    return {
      users,
      sent: count('sent'),
      refused: count('refused'),
      unknown: count('unknown'),
      retried: busy,
      deadLettered,
      lost,
      doubled,
      broken,
    }
  } finally {
    await sink.close()
  }
}

async function deploy(local: Pick<Local, 'aws' | 'lambda' | 'url'>, sqs: SQSClient, smtpPort: number): Promise<void> {
  const s3 = new S3Client(local.aws)
  await s3.send(new CreateBucketCommand({ Bucket: 'mail' }))
  await sqs.send(new CreateQueueCommand({ QueueName: 'dead' }))
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn('dead'), maxReceiveCount: 3 })
  await sqs.send(new CreateQueueCommand({ QueueName: 'mails', Attributes: { VisibilityTimeout: '120', RedrivePolicy } }))
  const env: Record<string, Record<string, string>> = {
    'fill-queue': { QUEUE_URL: `${local.url}/000000000000/mails` },
    'send-mails': { BUCKET: 'mail', CAMPAIGN: 'november', SMTP_HOST: '127.0.0.1', SMTP_PORT: String(smtpPort) },
  }
  for (const [name, variables] of Object.entries(env)) {
    const policy = JSON.parse(await readFile(new URL(`../policies/${name}.json`, import.meta.url), 'utf8')) as PolicyDocument
    const entry = new URL(`./${name}.ts`, import.meta.url)
    await local.lambda.deploy({ name, entry, env: variables, timeout: '20 seconds', memoryMb: 256, maxInstances: 2, policy })
  }
  const lambda = new LambdaClient(local.aws)
  const mapping = {
    FunctionName: 'send-mails',
    EventSourceArn: queueArn('mails'),
    BatchSize: 10,
    FunctionResponseTypes: ['ReportBatchItemFailures' as const],
    ScalingConfig: { MaximumConcurrency: 2 },
  }
  await lambda.send(new CreateEventSourceMappingCommand(mapping))
  s3.destroy()
  lambda.destroy()
}

async function messagesIn(sqs: SQSClient, QueueUrl: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))
  return Number(Attributes['ApproximateNumberOfMessages']) + Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
}
