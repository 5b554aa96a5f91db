import { kafkaAvailability } from '@pipe/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { adminSuite } from '../suite/admin-suite'
import { groupSuite } from '../suite/group-suite'
import { logSuite } from '../suite/log-suite'
import { realTarget } from '../suite/real-target'
import { replicationSuite } from '../suite/replication-suite'
import { transactionSuite } from '../suite/transaction-suite'

// The shared suites on real brokers: what `embedded.test.ts` asserts of the embedded ones holds here, too.
const available = await kafkaAvailability()

describe.skipIf(!available.available)(`real cluster${available.note}`, () => {
  let target: Awaited<ReturnType<typeof realTarget>>

  beforeAll(async () => {
    target = await realTarget()
  }, 180_000)
  afterAll(() => target?.close())

  describe('log', () => logSuite(() => target))
  describe('groups', () => groupSuite(() => target))
  describe('administration', () => adminSuite(() => target))
  describe('replication', () => replicationSuite(() => target))
  describe('transactions', () => transactionSuite(() => target))
})
