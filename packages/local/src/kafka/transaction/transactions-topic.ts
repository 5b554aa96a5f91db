import type { Broker } from '../broker'
import { transactionsTopic } from '../cluster-image'
import { ensureCoordinatorTopic } from '../coordinator-log'

/** Makes the topic of the transaction coordinators when it is not there. */
export function ensureTransactionsTopic(broker: Broker): void {
  ensureCoordinatorTopic(broker, transactionsTopic, broker.host.settings.number('transaction.state.log.num.partitions'))
}
