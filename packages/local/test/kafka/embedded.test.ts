import { afterAll, beforeAll, describe } from 'vitest'
import { adminSuite } from './suite/admin-suite'
import { embeddedTarget } from './suite/embedded-target'
import { groupSuite } from './suite/group-suite'
import { logSuite } from './suite/log-suite'
import { replicationSuite } from './suite/replication-suite'
import { transactionSuite } from './suite/transaction-suite'

// The shared suites on the embedded cluster; `live/real.test.ts` runs them on the real one.
let target: Awaited<ReturnType<typeof embeddedTarget>>

beforeAll(async () => {
  target = await embeddedTarget()
})
afterAll(() => target?.close())

describe('log', () => logSuite(() => target))
describe('groups', () => groupSuite(() => target))
describe('administration', () => adminSuite(() => target))
describe('replication', () => replicationSuite(() => target))
describe('transactions', () => transactionSuite(() => target))
