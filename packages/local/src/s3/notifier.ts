import { randomUUID } from 'node:crypto'
import { localRegion } from '../service'
import type { Change } from './change'
import type { NotificationTarget } from './notification-document'
import { bridgeEvent, notificationRecord } from './notification-event'
import { bucketArn } from './s3-request'

/** Where notifications go, and whether they may. */
export interface NotificationSinks {
  /** Why S3 may not call the function or write into the queue of an ARN for a bucket; `undefined` when it may. */
  problemOf(arn: string, bucket: string): string | undefined
  /** Hands an event to the function of an ARN, or a text to the queue. @throws when it does not take it. */
  send(arn: string, event: object, bucket: string): void
  /** Puts an event of `aws.s3` on the default bus. */
  publish(event: { readonly detailType: string; readonly resources: readonly string[]; readonly detail: object }): void
  onFailure(message: string, arn: string): void
}

/** Tells the targets of a bucket's notification configuration of changes. */
export interface Notifier {
  notify(change: Change): void
  /** S3 asks a queue with a test event whether it takes notifications. Functions are not asked. */
  test(arn: string, bucket: string): void
}

/** Every change gets a greater number: the order of the events of one key. */
function createSequencer(now: () => number): () => string {
  let count = 0
  return () => (BigInt(now()) * 65_536n + BigInt(count++ % 65_536)).toString(16).toUpperCase().padStart(18, '0')
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
export function createNotifier(now: () => number, { send, publish, onFailure }: NotificationSinks): Notifier {
  const nextSequencer = createSequencer(now)
  const attempt = (arn: string, event: object, bucket: string) => {
    try {
      send(arn, event, bucket)
    } catch (error) {
      // The write has been acknowledged: what nobody takes is lost, and told.
      onFailure((error as Error).message, arn)
    }
  }
  return {
    notify(change) {
      const { index, event, version } = change
      const { notification } = index.configuration
      if (!notification) return
      const facts = { ...change, at: now(), sequencer: nextSequencer(), requestId: randomUUID() }
      const targets = [
        ...(notification.QueueConfiguration ?? []).map((one) => ({ ...one, arn: one.Queue })),
        ...(notification.CloudFunctionConfiguration ?? []).map((one) => ({ ...one, arn: one.CloudFunction })),
      ]
      for (const target of targets) {
        if (!concerns(target, event, version.key)) continue
        attempt(target.arn, { Records: [notificationRecord(facts, target.Id ?? '')] }, index.name)
      }
      if (!notification.EventBridgeConfiguration) return
      const detail = bridgeEvent(facts)
      if (detail) publish({ ...detail, resources: [bucketArn(index.name)] })
    },
    test(arn, bucket) {
      attempt(
        arn,
        {
          Service: 'Amazon S3',
          Event: 's3:TestEvent',
          Time: new Date(now()).toISOString(),
          Bucket: bucket,
          RequestId: randomUUID(),
          HostId: localRegion,
        },
        bucket,
      )
    },
  }
}

/** Whether a target wants the event, by its name and by prefix and suffix of the key. */
function concerns({ Event, Filter }: NotificationTarget, event: string, key: string): boolean {
  const isNamed = Event.some((name) => name === event || (name.endsWith('*') && event.startsWith(name.slice(0, -1))))
  if (!isNamed) return false
  return (Filter?.S3Key?.FilterRule ?? []).every(({ Name, Value }) =>
    Name.toLowerCase() === 'prefix' ? key.startsWith(Value) : key.endsWith(Value),
  )
}
