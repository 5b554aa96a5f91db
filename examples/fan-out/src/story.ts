import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { reviewRules } from '@pipe/events'
import { startLocal, virtualClock } from '@pipe/local'
import { bigTotal, orderPlaced } from './contracts'
import { arnOf, deploy, deployFunction, policyOf, queued, rules } from './deploy'
import { orderOf } from './order-of'

/** What must hold at the end, and did not, beside the totals. */
export interface Totals {
  readonly published: number
  readonly delivered: number
  readonly retried: number
  readonly deadLettered: number
  readonly quarantined: number
  readonly invoices: number
  readonly payments: number
  readonly alerts: number
  readonly lost: number
  readonly doubled: number
  readonly broken: readonly string[]
}

const minutes = 10

/** Orders over ten minutes, with the invoice service down from the third to the eighth and the alert out of reach from the fifth on. */
export async function playStory(orders: number, log: (line: string) => void): Promise<Totals> {
  const review = reviewRules({ rules: rules.map(({ name, pattern }) => ({ name, pattern: pattern! })), contracts: [orderPlaced] })
  if (review.neverMatching.length + review.withoutRule.length > 0)
    throw new Error(`The rules do not fit the contract: ${JSON.stringify(review)}`)
  await using local = await startLocal({ clock: virtualClock('2026-11-24T08:00:00Z') })
  await deploy(local)
  const s3 = new S3Client(local.aws)
  const sqs = new SQSClient(local.aws)
  const queueUrl = (name: string) => `${local.url}/000000000000/${name}`
  const each = Math.ceil(orders / minutes)
  let mend = () => {}
  for (let minute = 0; minute < minutes; minute++) {
    if (minute === 2) {
      log('08:02 the invoice service loses its right to write: it fails, its orders wait in the queue')
      const { Statement } = await policyOf('invoice')
      await deployFunction(local, 'invoice', {
        Statement: [Statement].flat().filter((one) => 'Sid' in one && one.Sid === 'ReadQueue'),
      })
    }
    if (minute === 4) {
      log('08:04 EventBridge cannot reach the alert function: it tries again and again')
      mend = local.events.takeDown(arnOf.function('big-order-alert'))
    }
    if (minute === 5) {
      log('08:05 somebody publishes an order that breaks the contract, and twenty orders arrive twice')
      const poison = {
        EventBusName: 'orders',
        Source: orderPlaced.source,
        DetailType: orderPlaced.detailType,
        Detail: '{"id":7,"total":"much"}',
      }
      const events = new EventBridgeClient(local.aws)
      await events.send(new PutEventsCommand({ Entries: [poison] }))
      events.destroy()
      for (let number = 0; number < 20; number++)
        await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl('payment'), MessageBody: copyOf(number) }))
    }
    if (minute === 7) {
      log('08:07 both are back')
      await deployFunction(local, 'invoice')
      mend()
    }
    const from = minute * each
    const { functionError, payloadText } = await local.lambda.invoke('place-orders', {
      from,
      count: Math.min(each, orders - from),
    })
    if (functionError) throw new Error(payloadText)
    await local.clock.advance('1 minute')
  }
  await local.clock.advance('20 minutes')

  const found = { invoice: await runsOf(s3, 'invoice'), payment: await runsOf(s3, 'payment'), alert: await runsOf(s3, 'alert') }
  const numbers = Array.from({ length: orders }, (_, number) => orderOf(number))
  const expected = { invoice: numbers, payment: numbers, alert: numbers.filter(({ total }) => total >= bigTotal) }
  const services = Object.keys(found) as (keyof typeof found)[]
  const sum = (of: (name: keyof typeof found) => number) => services.reduce((total, name) => total + of(name), 0)
  const lost = sum((name) => expected[name].filter(({ id }) => !found[name].has(id)).length)
  const doubled = sum((name) => [...found[name].values()].filter((runs) => runs > 1).length)
  const quarantined = (await runsOf(s3, 'quarantine')).size
  let waiting = 0
  for (const name of ['dead', ...queued]) {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl(name), AttributeNames: ['All'] }),
    )
    waiting += Number(Attributes['ApproximateNumberOfMessages']) + Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
  }
  const { published, delivered, retried, deadLettered, dropped } = local.events.totals()
  const broken = [
    ...(lost === 0 ? [] : [`${lost} orders did not reach a service.`]),
    ...(doubled === 0 ? [] : [`${doubled} orders were handled twice.`]),
    ...(found.alert.size === expected.alert.length ? [] : [`${found.alert.size} alerts instead of ${expected.alert.length}.`]),
    ...(waiting === 0 ? [] : [`${waiting} messages are left in the queues.`]),
    ...(dropped + deadLettered === 0 ? [] : [`${dropped} deliveries were dropped, ${deadLettered} dead-lettered.`]),
    ...(retried > 0 ? [] : ['Nothing was tried again: the failure was not injected.']),
    ...(quarantined === queued.length ? [] : [`${quarantined} events in quarantine instead of ${queued.length}.`]),
  ]
  s3.destroy()
  sqs.destroy()
  const totals = { invoices: found.invoice.size, payments: found.payment.size, alerts: found.alert.size }
  return { published, delivered, retried, deadLettered, quarantined, ...totals, lost, doubled, broken }
}

/** The event of an order as the payment service has seen it before, under another id. */
function copyOf(number: number): string {
  return JSON.stringify({
    id: `copy-${number}`,
    source: orderPlaced.source,
    'detail-type': orderPlaced.detailType,
    detail: orderOf(number),
  })
}

/** How often each order was worked on: objects below `service/order/`. */
async function runsOf(s3: S3Client, service: string): Promise<Map<string, number>> {
  const runs = new Map<string, number>()
  let ContinuationToken: string | undefined
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: 'shop', Prefix: `${service}/`, ContinuationToken }))
    for (const { Key = '' } of page.Contents ?? []) {
      const order = service === 'quarantine' ? Key : Key.split('/')[1]!
      runs.set(order, (runs.get(order) ?? 0) + 1)
    }
    ContinuationToken = page.NextContinuationToken
  } while (ContinuationToken !== undefined)
  return runs
}
