import type { RuntimeClock } from '../clock'
import { allowsService } from '../iam/resource-policy'
import type { AsyncInvoker } from '../lambda/async-invoker'
import { AwsError } from '../service'
import { sendTo } from '../sqs/operations'
import type { Queues } from '../sqs/queues'
import type { EventFailure } from './failures'
import type { Rule, RuleTarget } from './rule-store'
import { targetText } from './target-input'
import type { EventCounter } from './totals'

/** Brings events to the targets of rules. */
export interface Delivery {
  /** Begins; the clock waits for what belongs to this instant. `text` is the event as JSON. */
  deliver(rule: Rule, target: RuleTarget, event: object, text: string): void
  /** A target answers nothing until the function that is returned is called: deliveries are tried again, as the target's retry policy says. */
  takeDown(targetArn: string): () => void
}

/** What deliveries work with. */
export interface DeliveryOptions {
  readonly clock: RuntimeClock
  readonly queues: Queues
  readonly asyncInvoker: AsyncInvoker
  readonly counter: EventCounter
  /** Whether resource policies are looked at. */
  readonly enforces: boolean
  hasFunction(name: string): boolean
  /** Whether the function's policy lets EventBridge invoke it for a rule. */
  mayInvoke(functionName: string, ruleArn: string): boolean
  onFailure(failure: EventFailure): void
}

const dayMs = 86_400_000
const defaultAttempts = 185
const longestWaitMs = 8 * 60_000
/** A target may be sent this much. */
const maxPayloadBytes = 1_048_576

/** Why a target did not take an event; what `isPassing` says may succeed later. */
class Refusal extends Error {
  readonly code: string
  readonly isPassing: boolean
  constructor(code: string, message: string, isPassing = false) {
    super(message)
    this.code = code
    this.isPassing = isPassing
  }
}

interface Attempt {
  readonly rule: Rule
  readonly target: RuleTarget
  readonly text: string
  readonly since: number
  readonly number: number
}

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { clock, queues, asyncInvoker, counter, enforces, hasFunction, mayInvoke, onFailure } = options
  const down = new Map<string, number>()

  const send = ({ rule, target, text }: Attempt): void => {
    if (down.has(target.arn)) throw new Refusal('SERVICE_UNAVAILABLE', `The target ${target.arn} was taken down.`, true)
    if (Buffer.byteLength(text) > maxPayloadBytes) throw new Refusal('INVALID_PARAMETER', 'The payload is larger than 1 MB.')
    if (target.arn.includes(':lambda:')) sendToFunction(rule, target, text)
    else sendToQueue(rule, target.arn, text, target.messageGroup)
  }
  const sendToFunction = (rule: Rule, target: RuleTarget, text: string): void => {
    const name = target.arn.split(':')[6]!
    if (!hasFunction(name))
      throw new Refusal('RESOURCE_NOT_FOUND', `PIPE_LOCAL_FUNCTION_MISSING No function "${name}" is deployed.`)
    if (enforces && !mayInvoke(name, rule.arn)) {
      const fix = `AddPermission with the principal events.amazonaws.com and the source ARN ${rule.arn}, or deploy it with permissions.`
      throw new Refusal(
        'NO_PERMISSIONS',
        `The policy of function ${name} does not let EventBridge invoke it for this rule: ${fix}`,
      )
    }
    let event: unknown
    try {
      event = JSON.parse(text)
    } catch (error) {
      throw new Refusal('INVALID_JSON', `The input for function ${name} is no JSON: ${(error as Error).message}`)
    }
    asyncInvoker.invoke(name, event, { rule: rule.name })
  }
  const sendToQueue = (rule: Rule, arn: string, text: string, group: string | undefined, attributes: object = {}): void => {
    const queue = queues.find(arn)
    if (!queue) throw new Refusal('RESOURCE_NOT_FOUND', `The queue ${arn} does not exist.`)
    const request = { service: 'events.amazonaws.com', action: 'sqs:SendMessage', resource: arn, sourceArn: rule.arn }
    if (enforces && !allowsService(queue.settings.policy, request)) {
      throw new Refusal(
        'NO_PERMISSIONS',
        `The policy of queue ${queue.name} does not let events.amazonaws.com sqs:SendMessage for ${rule.arn}.`,
      )
    }
    try {
      sendTo(
        queue,
        { MessageBody: text, MessageAttributes: attributes, ...(group === undefined ? {} : { MessageGroupId: group }) },
        'events.amazonaws.com',
      )
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      throw new Refusal('SDK_CLIENT_ERROR', error.message)
    }
  }

  const attempt = (one: Attempt): void => {
    try {
      send(one)
      counter.count('delivered')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      refused(one, error)
    }
  }
  const refused = (one: Attempt, refusal: Refusal): void => {
    const { rule, target, number, since } = one
    const { maxAttempts = defaultAttempts, maxAgeMs = dayMs } = target.retry ?? {}
    const next = clock.now() + Math.min(longestWaitMs, 1000 * 2 ** (number - 1))
    const exhausted = !refusal.isPassing
      ? 'None'
      : number > maxAttempts
        ? 'MaximumRetryAttempts'
        : next > since + maxAgeMs
          ? 'MaximumEventAgeInSeconds'
          : undefined
    const functionName = target.arn.includes(':lambda:') ? target.arn.split(':')[6]! : target.arn
    const failure = { at: new Date(clock.now()), rule: rule.name, functionName, message: refusal.message, attempt: number }
    onFailure({ ...failure, isFinal: exhausted !== undefined })
    if (exhausted === undefined) {
      clock.schedule(next, () => {
        counter.count('retried')
        attempt({ ...one, number: number + 1 })
      })
      return
    }
    if (target.deadLetterArn === undefined) {
      counter.count('dropped')
      return
    }
    try {
      sendToQueue(rule, target.deadLetterArn, one.text, target.messageGroup, deadLetterAttributes(one, refusal, exhausted))
      counter.count('deadLettered')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      onFailure({
        ...failure,
        functionName: target.deadLetterArn,
        message: `The dead-letter queue did not take it: ${error.message}`,
        isFinal: true,
      })
      counter.count('dropped')
    }
  }

  return {
    deliver(rule, target, event, text) {
      counter.count('matched')
      attempt({ rule, target, text: targetText(target.input, event, text, rule), since: clock.now(), number: 1 })
    },
    takeDown(arn) {
      down.set(arn, (down.get(arn) ?? 0) + 1)
      let isOver = false
      return () => {
        if (isOver) return
        isOver = true
        const left = down.get(arn)! - 1
        if (left === 0) down.delete(arn)
        else down.set(arn, left)
      }
    },
  }
}

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html */
function deadLetterAttributes({ rule, target, number }: Attempt, refusal: Refusal, exhausted: string): object {
  const text = (StringValue: string) => ({ DataType: 'String', StringValue })
  return {
    RULE_ARN: text(rule.arn),
    TARGET_ARN: text(target.arn),
    ERROR_CODE: text(refusal.code),
    ERROR_MESSAGE: text(refusal.message),
    EXHAUSTED_RETRY_CONDITION: text(exhausted),
    RETRY_ATTEMPTS: text(String(number - 1)),
  }
}
