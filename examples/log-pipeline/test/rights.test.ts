import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { FunctionName } from '../src/deploy'
import { play } from '../src/play'

interface Policy {
  readonly Statement: { Action: string | string[] }[]
}

/** The function's own policy less one action. */
function without(name: FunctionName, action: string): Policy {
  const policy = JSON.parse(readFileSync(new URL(`../policies/${name}.json`, import.meta.url), 'utf8')) as Policy
  let removed = 0
  const Statement = policy.Statement.map((statement) => {
    const actions = [statement.Action].flat()
    const kept = actions.filter((one) => one !== action)
    removed += actions.length - kept.length
    // A policy needs a statement: one that allows nothing the function does.
    return { ...statement, Action: kept.length === 0 ? ['s3:AbortMultipartUpload'] : kept }
  })
  expect(removed, `${action} stands in the policy of ${name}`).toBeGreaterThan(0)
  return { ...policy, Statement }
}

describe('a right that is missing', () => {
  it.each([
    ['log-generator', 's3:PutObject', /s3:PutObject.*arn:aws:s3:::lake\/raw\/dt=2026-11-24\/hour=15\/device_logs-20261124T1500Z/],
    ['log-compactor', 'glue:GetTable', /glue:GetTable.*arn:aws:glue:us-east-1:000000000000:/],
  ] as const)(
    '%s without %s fails, naming action, function and resource',
    { timeout: 120_000 },
    async (name, action, message) => {
      const run = play({
        engine: 'athena',
        tick: '1 minute',
        window: '5 minutes',
        policies: { [name]: without(name, action) },
        progress: { update: () => {}, end: () => {} },
      })
      const error = await run.then(
        () => expect.fail('the run went through'),
        (reason: Error) => reason,
      )
      expect(error.message).toMatch(message)
      expect(error.message).toContain(name)
    },
  )
})
