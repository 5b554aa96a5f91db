import { afterAll, beforeAll, describe } from 'vitest'
import { embeddedTarget } from './suite/embedded-target'
import { groupSuite } from './suite/group-suite'
import { logSuite } from './suite/log-suite'
import { transactionSuite } from './suite/transaction-suite'

// The shared suites on the embedded cluster; `live/real.test.ts` runs them on the real one.
let target: Awaited<ReturnType<typeof embeddedTarget>>

beforeAll(async () => {
  target = await embeddedTarget()
})
afterAll(() => target?.close())

describe('log', () => logSuite(() => target))
describe('groups', () => groupSuite(() => target))
describe('transactions', () => transactionSuite(() => target))
