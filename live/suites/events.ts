import { EventBridgeClient, TestEventPatternCommand } from '@aws-sdk/client-eventbridge'
import { PipeError } from '@pipe/core'
import { matchesPattern } from '@pipe/events'
import { randomPairs } from '../../packages/events/test/pattern/random-pair'
import type { LiveCheck, LiveSuite } from '../check'

const pairs = 300

/** Random patterns and events, judged by EventBridge (TestEventPattern costs nothing) and by us. */
async function compare(): Promise<string | undefined> {
  const client = new EventBridgeClient({})
  const different: string[] = []
  try {
    let count = 0
    for (const { pattern, event } of randomPairs(7)) {
      if (count++ === pairs) break
      const whole = {
        id: '1',
        account: '000000000000',
        source: 's',
        time: '2026-11-28T00:00:00Z',
        region: 'r',
        resources: [],
        'detail-type': 't',
        ...event,
      }
      const [text, body] = [JSON.stringify(pattern), JSON.stringify(whole)]
      const theirs = await client.send(new TestEventPatternCommand({ EventPattern: text, Event: body })).then(
        ({ Result }) => String(Result),
        (error: Error) => error.name,
      )
      const ours = verdict(() => matchesPattern(text, body))
      if (theirs !== ours) different.push(`${text} on ${body}: ${theirs}, here ${ours}`)
    }
  } finally {
    client.destroy()
  }
  return different.length === 0 ? undefined : `${different.length} of ${pairs}: ${different.slice(0, 5).join('; ')}`
}

function verdict(match: () => boolean): string {
  try {
    return String(match())
  } catch (error) {
    if (PipeError.isInstance(error) && error.code === 'PIPE_PATTERN') return 'InvalidEventPatternException'
    throw error
  }
}

export const eventsSuite: LiveSuite = {
  name: 'event patterns',
  cost: { puts: 0, gets: 0, queries: 0 },
  checks: (): readonly LiveCheck[] => [
    { claim: `${pairs} random patterns match the events that EventBridge says they match`, run: compare },
  ],
}
