import { sleep } from '@pipe/core'
import kafkajs from 'kafkajs'

/** How long kafkajs tries again: leaders move while brokers come back. */
export const patience = { initialRetryTime: 100, maxRetryTime: 1000, retries: 10 }

/** Asks something of a cluster as an administrator, by a client of its own: what it knows must not be old. */
export async function administer<Answer>(
  bootstrap: readonly string[],
  ask: (admin: kafkajs.Admin) => Promise<Answer>,
): Promise<Answer> {
  const client = new kafkajs.Kafka({
    clientId: 'faults-admin',
    brokers: [...bootstrap],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: patience,
  })
  const admin = client.admin()
  await admin.connect()
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask(admin)
      } catch (error) {
        // kafkajs asks an old leader for offsets, and gives up at once what it calls retriable itself.
        if (!(error as { retriable?: boolean }).retriable || attempt > patience.retries) throw error
        await sleep(patience.initialRetryTime)
      }
    }
  } finally {
    await admin.disconnect()
  }
}
