/** What a Lambda target of a scheduled rule receives when the target has no `Input`. */
export interface ScheduledEvent {
  readonly version: '0'
  /** A UUID, new for every event. */
  readonly id: string
  readonly 'detail-type': 'Scheduled Event'
  readonly source: 'aws.events'
  /** Twelve digits. */
  readonly account: string
  /** The scheduled instant, ISO 8601 in UTC with whole seconds: `2026-11-24T15:35:00Z`. */
  readonly time: string
  readonly region: string
  /** One entry: the ARN of the rule. */
  readonly resources: readonly [string]
  readonly detail: Readonly<Record<string, never>>
}

/** Parts of {@link scheduledEvent}. */
export interface ScheduledEventParts {
  /** `arn:aws:events:us-east-1:000000000000:rule/compact`; account and region are taken from it. */
  readonly ruleArn: string
  readonly at: Date
  readonly id: string
}

/** The event of one run of a rule. Milliseconds of `at` are cut, as EventBridge does. */
export function scheduledEvent({ ruleArn, at, id }: ScheduledEventParts): ScheduledEvent {
  const [, , , region = '', account = ''] = ruleArn.split(':')
  return {
    version: '0',
    id,
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account,
    time: at.toISOString().replace(/\.\d{3}Z$/, 'Z'),
    region,
    resources: [ruleArn],
    detail: {},
  }
}
