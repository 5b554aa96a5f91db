import { ConfigError } from '@pipe/core'
import type { Broker, BrokerState } from '../broker-node'
import type { LinkEnd, Links } from '../links'
import type { ActiveKafkaRule, KafkaFaultRule } from './fault-rule'
import type { FaultRules } from './fault-rules'

/** Options of `kill`. */
export interface KillOptions {
  /** As after a power cut: what a broker has not flushed is gone. Default false, as when only the process is killed. */
  readonly losesUnflushed?: boolean
}

/** What can be done to the brokers. Broker ids are 1, 2 and 3. Each throws ConfigError `PIPE_CONFIG` for an unknown broker. */
export interface KafkaFaults {
  /** Adds a rule for requests; `{ fault: 'drop-response', api: 'Produce' }` appends the next batch and never says so. */
  add(rule: KafkaFaultRule): ActiveKafkaRule
  /** Ends a broker at once: its connections break, and after its session (`broker.session.timeout.ms`) others lead. Its log stays for `restart`. */
  kill(broker: number, options?: KillOptions): Promise<void>
  /** Ends a broker in good order: it flushes, and others lead at once. */
  stop(broker: number): Promise<void>
  /** Starts a broker that was killed or stopped, on its port and its log. */
  restart(broker: number): Promise<void>
  /** Freezes a broker: its connections stay open, nothing is answered; after its session others lead. */
  pause(broker: number): void
  /** Lets a paused broker go on. It hears first what happened meanwhile. */
  resume(broker: number): void
  /** Cuts the way between two brokers, or between a broker and the controllers. Clients still reach both. */
  cut(broker: number, other: number | 'controller'): void
  mend(broker: number, other: number | 'controller'): void
  /** Cuts a broker off from all others and from the controllers: it may still believe that it leads. */
  isolate(broker: number): void
  /** Mends all ways of a broker. */
  reconnect(broker: number): void
  /** Closes the connections of clients to a broker; they may connect again at once. */
  resetConnections(broker: number): void
  /** Flushes the logs of a broker: a power cut leaves them. A topic with `flush.messages: '1'` flushes at each batch. */
  flush(broker: number): void
  state(broker: number): BrokerState
  /** Removes all rules and mends all ways. Brokers stay as they are. */
  clear(): void
}

/** The faults of a cluster. */
export function createKafkaFaults(cluster: {
  readonly brokers: readonly Broker[]
  readonly links: Links
  readonly rules: FaultRules
}): KafkaFaults {
  const { brokers, links, rules } = cluster
  const brokerOf = (id: number) => {
    const found = brokers.find((broker) => broker.id === id)
    if (!found)
      throw new ConfigError(`There is no broker ${id}.`, { hint: `Brokers: ${brokers.map((one) => one.id).join(', ')}.` })
    return found
  }
  const waysOf = (broker: number): LinkEnd[] => [
    ...brokers.map(({ id }) => id).filter((id) => id !== brokerOf(broker).id),
    'controller',
  ]
  const checked = (end: LinkEnd): LinkEnd => (end === 'controller' ? end : brokerOf(end).id)
  const reconnect = (broker: number) => {
    for (const end of waysOf(broker)) links.mend(broker, end)
  }
  return {
    add(rule) {
      if (rule.broker !== undefined) brokerOf(rule.broker)
      return rules.add(rule)
    },
    kill: async (broker, options) => brokerOf(broker).kill(options),
    stop: async (broker) => brokerOf(broker).stop(),
    restart: async (broker) => brokerOf(broker).start(),
    pause: (broker) => brokerOf(broker).pause(),
    resume: (broker) => brokerOf(broker).resume(),
    cut: (broker, other) => links.cut(brokerOf(broker).id, checked(other)),
    mend: (broker, other) => links.mend(brokerOf(broker).id, checked(other)),
    isolate(broker) {
      for (const end of waysOf(broker)) links.cut(broker, end)
    },
    reconnect,
    resetConnections: (broker) => brokerOf(broker).resetConnections(),
    flush(broker) {
      for (const replica of brokerOf(broker).replicas) replica.flush()
    },
    state: (broker) => brokerOf(broker).state,
    clear() {
      rules.clear()
      for (const { id } of brokers) reconnect(id)
    },
  }
}
