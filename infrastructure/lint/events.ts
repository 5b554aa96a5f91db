import { compilePattern, parseSchedule } from '@pipe/events'
import type { Configuration, Resource } from '../hcl/configuration'
import type { Finding } from './finding'

/** Schedules and event patterns by the grammars of EventBridge, which `terraform validate` and `plan` pass unread. */
export function checkEvents({ resources }: Configuration): Finding[] {
  return resources.flatMap((resource) => [
    ...refusal(resource, 'schedule_expression', (text) => parseSchedule(text)),
    ...(resource.type === 'aws_cloudwatch_event_rule' ? refusal(resource, 'event_pattern', (text) => compilePattern(text)) : []),
  ])
}

function refusal(resource: Resource, attribute: string, read: (text: string) => unknown): Finding[] {
  const text = resource.values[attribute]
  if (text === undefined) return []
  const place = resource.place(attribute)
  if (typeof text !== 'string' || text.startsWith('${')) {
    return [{ place, text: `${attribute} cannot be read before a plan: write it out.` }]
  }
  try {
    read(text)
    return []
  } catch (error) {
    return [{ place, text: (error as Error).message }]
  }
}
