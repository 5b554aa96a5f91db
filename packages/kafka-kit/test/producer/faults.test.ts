import { type StubBrokers, type StubRule, startStubBrokers } from '@pipe/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKafka, type FailedOutcome, type Written } from '../../src/index'

// Whatever the brokers do: a confirmed message is in the log once, at the offset that was reported; a message that is "not written" is not
// there; the confirmed messages of one partition stand in the order of their calls.

const rule: fc.Arbitrary<StubRule> = fc.record(
  {
    error: fc.constantFrom(3, 5, 6, 7, 10, 13, 19, 20, 29, 45, 47, 59, 87),
    append: fc.boolean(),
    reply: fc.constantFrom('none' as const, 'close' as const, { after: '30 ms' as const }),
    broker: fc.nat({ max: 1 }),
    partition: fc.oneof(fc.nat({ max: 2 }), fc.constant('first' as const)),
    skip: fc.nat({ max: 6 }),
    times: fc.integer({ min: 1, max: 4 }),
  },
  { requiredKeys: [] },
)

/** Only what a broker can do: it does not refuse a batch that it has stored, except by the codes that say so. */
function honest(given: StubRule): StubRule | undefined {
  const { error, append, ...rest } = given
  const saysStored = error === 7 || error === 20 || error === 13
  const made = {
    ...rest,
    ...(error === undefined ? {} : { error }),
    ...(error !== undefined && append !== undefined && saysStored ? { append } : {}),
    ...(error === undefined && rest.reply !== undefined && append !== undefined && typeof rest.reply === 'string'
      ? { append }
      : {}),
  }
  return made.error === undefined && made.reply === undefined ? undefined : made
}

interface Sent {
  readonly value: string
  readonly partition: number
  readonly outcome: Written | FailedOutcome
}

async function run(stub: StubBrokers, sizes: readonly number[], options: object): Promise<Sent[]> {
  await using kafka = createKafka({ brokers: stub.bootstrap, clientId: 'faults', requestTimeout: '100 ms' })
  const producer = kafka.producer({ linger: '0 ms', deliveryTimeout: '600 ms', batchRecords: 5, ...options })
  const sends: Promise<Sent>[] = []
  let number = 0
  for (const size of sizes) {
    for (let i = 0; i < size; i++) {
      const value = String(number++)
      const partition = number % 3
      sends.push(
        producer.send('t', { value, partition }).then(
          (outcome) => ({ value, partition, outcome }),
          (outcome) => ({ value, partition, outcome }),
        ),
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
  return Promise.all(sends)
}

function check(stub: StubBrokers, sent: readonly Sent[], mayDouble: boolean): void {
  const stored = new Map<string, number>()
  for (const value of stub.values('t')) stored.set(value, (stored.get(value) ?? 0) + 1)
  const lastOffset = [-1n, -1n, -1n]
  for (const { value, partition, outcome } of sent) {
    const count = stored.get(value) ?? 0
    if ('offset' in outcome) {
      expect(mayDouble ? count >= 1 : count === 1, `${value} confirmed, stored ${count} times`).toBe(true)
      expect(String(stub.records('t', partition)[Number(outcome.offset)]!.value)).toBe(value)
      if (!mayDouble) expect(outcome.offset > lastOffset[partition]!).toBe(true)
      lastOffset[partition] = outcome.offset
    } else if (outcome.outcome === 'not-written') expect(count, `${value}: ${outcome.message}`).toBe(0)
    else {
      expect(outcome).toMatchObject({ code: 'PIPE_KAFKA_AMBIGUOUS' })
      if (!mayDouble) expect(count).toBeLessThanOrEqual(1)
    }
  }
}

describe.each([
  ['quorum, idempotent', {}, false],
  ['leader', { durability: 'leader' }, true],
  ['leader, nothing sent twice', { durability: 'leader', resendAmbiguous: false }, false],
])('under any faults: %s', (_, options, mayDouble) => {
  it('what is reported is true', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rule, { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
        async (rules, sizes) => {
          const stub = await startStubBrokers({ brokers: 2, topics: { t: 3 } })
          try {
            for (const made of rules.map(honest)) if (made) stub.script(made)
            check(stub, await run(stub, sizes, options), mayDouble)
          } finally {
            await stub.close()
          }
        },
      ),
      { numRuns: 25, endOnFailure: true },
    )
  })
})
