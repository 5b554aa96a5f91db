import { randomUUID } from 'node:crypto'
import { AwsError } from '../service'
import {
  type NotificationDocument,
  type NotificationTarget,
  notificationEvents,
  notificationShape,
} from './notification-document'
import { sendEmpty } from './respond'
import { bucketArn, checkOwner, type S3Context, type S3Request } from './s3-request'
import { receiveShape, sendShape } from './shaped-body'

/** GetBucketNotificationConfiguration: empty when there is none. */
export async function getNotification(context: S3Context, request: S3Request): Promise<void> {
  context.authorizer.authorize(request.call.principal, 's3:GetBucketNotification', bucketArn(request.bucket))
  checkOwner(context, request)
  const { notification = {} } = context.store.bucket(request.bucket).configuration
  sendShape(request, 'NotificationConfiguration', notificationShape, notification)
}

/** PutBucketNotificationConfiguration: replaces all of it; an empty one switches notifications off. */
export async function putNotification(context: S3Context, request: S3Request): Promise<void> {
  context.authorizer.authorize(request.call.principal, 's3:PutBucketNotification', bucketArn(request.bucket))
  checkOwner(context, request)
  context.store.bucket(request.bucket)
  const document = await receiveShape<NotificationDocument>(request, 'NotificationConfiguration', notificationShape, {
    checksum: false,
  })
  const checked = withIds(document)
  checkTargets(checked)
  const destinations = checkDestinations(context, request, checked)
  context.store.bucket(request.bucket).configure('notification', Object.keys(checked).length === 0 ? undefined : checked)
  for (const arn of destinations) context.notifications?.test(arn, request.bucket)
  sendEmpty(request.call, 200)
}

/** Each queue and function must exist and let S3 in, unless the caller says otherwise. @returns the queues, which get a test event. */
function checkDestinations({ notifications }: S3Context, request: S3Request, document: NotificationDocument): readonly string[] {
  if (!notifications || request.headers['x-amz-skip-destination-validation'] === 'true') return []
  const queues = (document.QueueConfiguration ?? []).map(({ Queue }) => Queue)
  const functions = (document.CloudFunctionConfiguration ?? []).map(({ CloudFunction }) => CloudFunction)
  const topics = (document.TopicConfiguration ?? []).map(({ Topic }) => Topic)
  for (const arn of [...queues, ...functions, ...topics]) {
    const problem = notifications.problemOf(arn, request.bucket)
    if (problem === undefined) continue
    throw new AwsError('InvalidArgument', 'Unable to validate the following destination configurations', 400, {
      ArgumentName1: arn,
      ArgumentValue1: problem,
    })
  }
  return [...new Set(queues)]
}

function withIds(document: NotificationDocument): NotificationDocument {
  const named = <T extends NotificationTarget>(targets: readonly T[] | undefined) =>
    targets?.map((target) => (target.Id ? target : { ...target, Id: randomUUID() }))
  const [topics, queues, functions] = [
    named(document.TopicConfiguration),
    named(document.QueueConfiguration),
    named(document.CloudFunctionConfiguration),
  ]
  return {
    ...(topics && { TopicConfiguration: topics }),
    ...(queues && { QueueConfiguration: queues }),
    ...(functions && { CloudFunctionConfiguration: functions }),
    ...(document.EventBridgeConfiguration && { EventBridgeConfiguration: document.EventBridgeConfiguration }),
  }
}

interface CheckedTarget extends NotificationTarget {
  readonly arn: string
}

function checkTargets(document: NotificationDocument): void {
  const kinds: readonly (readonly [service: string, targets: readonly CheckedTarget[]])[] = [
    ['sns', (document.TopicConfiguration ?? []).map((one) => ({ ...one, arn: one.Topic }))],
    ['sqs', (document.QueueConfiguration ?? []).map((one) => ({ ...one, arn: one.Queue }))],
    ['lambda', (document.CloudFunctionConfiguration ?? []).map((one) => ({ ...one, arn: one.CloudFunction }))],
  ]
  const all = kinds.flatMap(([, targets]) => targets)
  const ids = all.map(({ Id }) => Id)
  if (new Set(ids).size < ids.length) throw invalid('Same ID used for multiple configurations. IDs must be unique')
  for (const [service, targets] of kinds) {
    for (const { arn, Event, Filter } of targets) {
      if (!arn.startsWith(`arn:aws:${service}:`) || arn.split(':').length < 6) throw invalid('The ARN could not be parsed', arn)
      if ((Event ?? []).length === 0) throw invalid('At least one event is required')
      const odd = Event.find((event) => !notificationEvents.includes(event))
      if (odd !== undefined) throw invalid('The event is not supported for notifications', odd)
      const names = (Filter?.S3Key?.FilterRule ?? []).map(({ Name }) => Name.toLowerCase())
      if (new Set(names).size < names.length) throw invalid('Cannot specify more than one prefix or suffix rule in a filter.')
    }
  }
  checkOverlaps(all)
}

// Two targets may not be told of one event of one key.
function checkOverlaps(targets: readonly CheckedTarget[]): void {
  for (const [i, a] of targets.entries()) {
    for (const b of targets.slice(i + 1)) {
      const shared = a.Event.some((one) => b.Event.some((other) => isOneEvent(one, other)))
      if (shared && overlap(a, b, 'prefix', 'startsWith') && overlap(a, b, 'suffix', 'endsWith'))
        throw invalid('Configurations overlap. Configurations on the same bucket cannot share a common event type.')
    }
  }
}

function isOneEvent(a: string, b: string): boolean {
  const family = (name: string) => name.replace(/\*$/, '')
  return a === b || (a.endsWith('*') && b.startsWith(family(a))) || (b.endsWith('*') && a.startsWith(family(b)))
}

function overlap(a: CheckedTarget, b: CheckedTarget, name: 'prefix' | 'suffix', test: 'startsWith' | 'endsWith'): boolean {
  const of = ({ Filter }: CheckedTarget) =>
    Filter?.S3Key?.FilterRule?.find(({ Name }) => Name.toLowerCase() === name)?.Value ?? ''
  return of(a)[test](of(b)) || of(b)[test](of(a))
}

function invalid(text: string, value?: string): AwsError {
  return new AwsError('InvalidArgument', text, 400, value === undefined ? {} : { ArgumentValue: value })
}
