import { scheduledTimeOf } from '@pipe/core/internal'
import { expect, it } from 'vitest'
import { scheduledEvent } from '../src/index'

it('has the shape that EventBridge sends, and core reads its time back', () => {
  const event = scheduledEvent({
    ruleArn: 'arn:aws:events:us-east-1:000000000000:rule/compact',
    at: new Date('2026-11-24T15:35:00.999Z'),
    id: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa',
  })
  expect(event).toEqual({
    version: '0',
    id: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa',
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: '000000000000',
    time: '2026-11-24T15:35:00Z',
    region: 'us-east-1',
    resources: ['arn:aws:events:us-east-1:000000000000:rule/compact'],
    detail: {},
  })
  expect(scheduledTimeOf(event)).toEqual(new Date('2026-11-24T15:35:00Z'))
})
