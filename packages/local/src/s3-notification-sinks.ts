import type { EventFailure } from './eventbridge/failures'
import type { EventBridgeService } from './eventbridge/service'
import { allowsService } from './iam/resource-policy'
import type { AsyncInvoker } from './lambda/async-invoker'
import type { FunctionPolicies } from './lambda/function-policy'
import type { NotificationSinks } from './s3/notifier'
import { bucketArn } from './s3/s3-request'
import { sendTo } from './sqs/operations'
import type { Queues } from './sqs/queues'

/** What S3's notifications are brought to. */
export interface NotificationSinksOptions {
  readonly queues: Queues
  readonly policies: FunctionPolicies
  readonly asyncInvoker: AsyncInvoker
  /** Whether resource policies are looked at. */
  readonly enforces: boolean
  hasFunction(name: string): boolean
  publish: EventBridgeService['publish']
  now(): number
  onFailure(failure: EventFailure): void
}

/** Functions, queues and the default bus as S3 reaches them: each must let `s3.amazonaws.com` in for the bucket. */
export function createNotificationSinks(options: NotificationSinksOptions): NotificationSinks {
  const { queues, policies, asyncInvoker, enforces, hasFunction, publish, now, onFailure } = options
  const nameOf = (arn: string) => arn.split(':')[6] ?? ''
  const problemOf = (arn: string, bucket: string): string | undefined => {
    const sourceArn = bucketArn(bucket)
    const service = 's3.amazonaws.com'
    if (arn.startsWith('arn:aws:lambda:')) {
      if (!hasFunction(nameOf(arn))) return `The function ${arn} does not exist.`
      if (enforces && !policies.allows(nameOf(arn), { service, sourceArn }))
        return `The policy of function ${nameOf(arn)} does not let ${service} invoke it for ${sourceArn}.`
      return undefined
    }
    if (!arn.startsWith('arn:aws:sqs:')) return `The local S3 notifies functions, queues and EventBridge, not ${arn}.`
    const queue = queues.find(arn)
    if (!queue) return `The queue ${arn} does not exist.`
    if (queue.settings.fifo) return 'S3 does not notify FIFO queues.'
    const request = { service, action: 'sqs:SendMessage', resource: arn, sourceArn }
    if (enforces && !allowsService(queue.settings.policy, request))
      return `The policy of queue ${queue.name} does not let ${service} sqs:SendMessage for ${sourceArn}.`
    return undefined
  }
  return {
    problemOf,
    send(arn, event, bucket) {
      const problem = problemOf(arn, bucket)
      if (problem !== undefined) throw new Error(problem)
      if (arn.startsWith('arn:aws:lambda:')) asyncInvoker.invoke(nameOf(arn), event)
      else sendTo(queues.find(arn)!, { MessageBody: JSON.stringify(event) }, 's3.amazonaws.com')
    },
    publish({ detailType, resources, detail }) {
      publish({ source: 'aws.s3', detailType, detail: JSON.stringify(detail), bus: 'default', time: now(), resources })
    },
    onFailure(message, arn) {
      const functionName = arn.startsWith('arn:aws:lambda:') ? nameOf(arn) : arn
      onFailure({ at: new Date(now()), functionName, message, attempt: 1, isFinal: true })
    },
  }
}
