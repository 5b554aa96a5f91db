import type { Configuration, Resource } from '../hcl/configuration'
import type { Finding } from './finding'
import { referred } from './reference'

/** What keeps events from arriving without anybody hearing of it: missing permissions, missing dead-letter queues, messages that come back too early. */
export function checkInvocations(configuration: Configuration): Finding[] {
  const targets = ofType(configuration, 'aws_cloudwatch_event_target')
  const mappings = ofType(configuration, 'aws_lambda_event_source_mapping')
  return [
    ...targets.flatMap((target) => [...permission(configuration, target), ...deadLetters(target)]),
    ...mappings.flatMap((mapping) => visibility(configuration, mapping)),
  ]
}

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html */
function permission(configuration: Configuration, target: Resource): Finding[] {
  const receiver = referred(configuration, target.values['arn'])
  if (receiver === undefined) return [{ place: target.place('arn'), text: 'The target is no resource of this configuration.' }]
  const rule = referred(configuration, target.values['rule'])
  const name = shown(receiver)
  if (receiver.type === 'aws_lambda_function') {
    const allowed = ofType(configuration, 'aws_lambda_permission').some(
      ({ values }) =>
        values['principal'] === 'events.amazonaws.com' &&
        values['action'] === 'lambda:InvokeFunction' &&
        referred(configuration, values['function_name']) === receiver &&
        rule !== undefined &&
        referred(configuration, values['source_arn']) === rule,
    )
    return allowed ? [] : [{ place: target.place(), text: `No aws_lambda_permission lets this rule invoke ${name}.` }]
  }
  if (receiver.type !== 'aws_sqs_queue') return []
  const allowed = ofType(configuration, 'aws_sqs_queue_policy').some(
    ({ values }) =>
      referred(configuration, values['queue_url']) === receiver && String(values['policy']).includes('sqs:SendMessage'),
  )
  return allowed ? [] : [{ place: target.place(), text: `No aws_sqs_queue_policy lets this rule send to ${name}.` }]
}

function deadLetters(target: Resource): Finding[] {
  if (target.values['dead_letter_config'] !== undefined) return []
  return [
    { place: target.place(), text: 'The target has no dead_letter_config: what cannot be delivered is dropped after 24 hours.' },
  ]
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
function visibility(configuration: Configuration, mapping: Resource): Finding[] {
  const queue = referred(configuration, mapping.values['event_source_arn'])
  const receiver = referred(configuration, mapping.values['function_name'])
  if (queue?.type !== 'aws_sqs_queue') return []
  if (receiver === undefined)
    return [{ place: mapping.place('function_name'), text: 'The function is no resource of this configuration.' }]
  const needed = 6 * Number(receiver.values['timeout'] ?? 3)
  const seconds = Number(queue.values['visibility_timeout_seconds'] ?? 30)
  // Also when one of the two cannot be read before a plan.
  if (seconds >= needed) return []
  const text = `visibility_timeout_seconds of ${shown(queue)} is ${seconds}, not at least six times the time-out of ${shown(receiver)}: ${needed}.`
  return [{ place: queue.place('visibility_timeout_seconds'), text }]
}

function ofType({ resources }: Configuration, type: string): Resource[] {
  return resources.filter((resource) => resource.type === type)
}

function shown({ type, name, key }: Resource): string {
  return `${type}.${name}${key === undefined ? '' : `["${key}"]`}`
}
