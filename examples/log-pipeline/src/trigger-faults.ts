import { randomUUID } from 'node:crypto'
import { PipeError } from '@pipe/core'
import { scheduledEvent } from '@pipe/events'
import type { Local } from '@pipe/local'
import { type FunctionName, setRule } from './deploy'

/** What goes wrong with the triggers of a simulated day. EventBridge delivers at least once, and a rule may be off for a while. */
export interface TriggerFaults {
  /** Whether a function is not called at this tick. */
  isMissing(name: FunctionName, tick: number): boolean
  /** Whether both functions are called once more with the event of this tick. */
  isDoubled(tick: number): boolean
}

/** Every so many ticks, never two missing ones in a row. */
export const dayTriggers: TriggerFaults = {
  isMissing: (name, tick) => (name === 'log-generator' ? tick % 97 === 13 : tick % 115 === 35),
  isDoubled: (tick) => tick % 31 === 5,
}

/** Runs a tick with its faults. */
export async function withTriggerFaults(
  local: Local,
  faults: TriggerFaults | undefined,
  tick: { readonly number: number; readonly at: Date },
  run: () => Promise<void>,
): Promise<void> {
  const missing = functions.filter((name) => faults?.isMissing(name, tick.number))
  for (const name of missing) await setRule(local, name, 'off')
  await run()
  for (const name of missing) await setRule(local, name, 'on')
  if (faults?.isDoubled(tick.number)) for (const name of functions) await callAgain(local, name, tick.at)
}

const functions: readonly FunctionName[] = ['log-generator', 'log-compactor']

async function callAgain(local: Local, name: FunctionName, at: Date): Promise<void> {
  const ruleArn = `arn:aws:events:us-east-1:000000000000:rule/${name}`
  const { functionError, payload } = await local.lambda.invoke(name, scheduledEvent({ ruleArn, at, id: randomUUID() }))
  if (functionError) {
    const what = `${name} failed when it was called again for ${at.toISOString()}: ${JSON.stringify(payload)}`
    throw new PipeError('EXAMPLE_FUNCTION_FAILED', what)
  }
}
