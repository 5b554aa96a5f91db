import { localAccount, localRegion } from '../service'
import { type Input, refuseUnknown, requiredText, textOf, validationError } from './request-input'
import type { RuleTarget } from './rule-store'
import { readTargetInput } from './target-input'

const idPattern = /^[.\-_A-Za-z0-9]{1,64}$/
const functionPattern = /^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,64}(:\$LATEST)?$/
const queuePattern = /^arn:aws:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}(\.fifo)?$/
const members = ['Id', 'Arn', 'Input', 'InputPath', 'InputTransformer', 'RetryPolicy', 'DeadLetterConfig', 'SqsParameters']

/** Reads a target of PutTargets. @throws AwsError ValidationException, also for members that are not modelled. */
export function readTarget(value: unknown): RuleTarget {
  if (typeof value !== 'object' || value === null) throw validationError('A target is not a structure.')
  const input = value as Input
  refuseUnknown('PutTargets, Targets', input, members)
  const id = requiredText(input, 'Id', idPattern)
  const arn = requiredText(input, 'Arn', /^.{1,1600}$/)
  if (!functionPattern.test(arn) && !queuePattern.test(arn)) {
    const places = `arn:aws:lambda:${localRegion}:${localAccount}:function:NAME and arn:aws:sqs:${localRegion}:${localAccount}:NAME`
    throw validationError(`Parameter ${arn} is not valid. The local EventBridge delivers to functions and queues: ${places}.`)
  }
  const retry = readRetry(input['RetryPolicy'], id)
  const deadLetterArn = readDeadLetter(input['DeadLetterConfig'], id)
  const messageGroup = readGroup(input['SqsParameters'], arn, id)
  return {
    id,
    arn,
    input: readTargetInput(input, id),
    ...(retry === undefined ? {} : { retry }),
    ...(deadLetterArn === undefined ? {} : { deadLetterArn }),
    ...(messageGroup === undefined ? {} : { messageGroup }),
  }
}

function readRetry(value: unknown, id: string): RuleTarget['retry'] {
  if (value === undefined || value === null) return undefined
  const policy = value as Input
  refuseUnknown('PutTargets, RetryPolicy', policy, ['MaximumRetryAttempts', 'MaximumEventAgeInSeconds'])
  const number = (name: string, min: number, max: number) => {
    const given = policy[name]
    if (given === undefined || given === null) return undefined
    if (typeof given === 'number' && Number.isInteger(given) && given >= min && given <= max) return given
    throw validationError(`${name} of target ${id} must be a whole number from ${min} to ${max}.`)
  }
  const [maxAttempts, age] = [number('MaximumRetryAttempts', 0, 185), number('MaximumEventAgeInSeconds', 60, 86_400)]
  return { ...(maxAttempts === undefined ? {} : { maxAttempts }), ...(age === undefined ? {} : { maxAgeMs: age * 1000 }) }
}

function readDeadLetter(value: unknown, id: string): string | undefined {
  const arn = textOf((value ?? {}) as Input, 'Arn')
  if (arn === undefined) return undefined
  if (!queuePattern.test(arn) || arn.endsWith('.fifo'))
    throw validationError(`DeadLetterConfig of target ${id} must name a standard queue, not ${arn}.`)
  return arn
}

function readGroup(value: unknown, arn: string, id: string): string | undefined {
  const group = textOf((value ?? {}) as Input, 'MessageGroupId')
  if (arn.endsWith('.fifo') === (group !== undefined)) return group
  throw validationError(
    group === undefined
      ? `Parameter(s) MessageGroupId must be specified for target: ${id}.`
      : `Parameter(s) SqsParameters not valid for target: ${id}, which is no FIFO queue.`,
  )
}

/** The target as ListTargetsByRule shows it. */
export function targetView({ id, arn, input, retry, deadLetterArn, messageGroup }: RuleTarget): object {
  const { input: text, inputPath, transformer } = input
  return {
    Id: id,
    Arn: arn,
    ...(text === undefined ? {} : { Input: text }),
    ...(inputPath === undefined ? {} : { InputPath: inputPath }),
    ...(transformer === undefined
      ? {}
      : { InputTransformer: { InputPathsMap: transformer.paths, InputTemplate: transformer.template } }),
    ...(retry === undefined
      ? {}
      : {
          RetryPolicy: {
            ...(retry.maxAttempts === undefined ? {} : { MaximumRetryAttempts: retry.maxAttempts }),
            ...(retry.maxAgeMs === undefined ? {} : { MaximumEventAgeInSeconds: retry.maxAgeMs / 1000 }),
          },
        }),
    ...(deadLetterArn === undefined ? {} : { DeadLetterConfig: { Arn: deadLetterArn } }),
    ...(messageGroup === undefined ? {} : { SqsParameters: { MessageGroupId: messageGroup } }),
  }
}
