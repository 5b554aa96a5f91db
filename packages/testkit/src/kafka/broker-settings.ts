/** What one broker of a test cluster is configured from. */
export interface BrokerSettingsOptions {
  readonly nodeId: number
  /** Ports of the listeners: direct, behind the fault proxy, of the controllers. */
  readonly ports: { readonly broker: number; readonly proxy: number; readonly controller: number }
  /** The port that clients which came through the fault proxy are sent to. */
  readonly advertisedProxyPort: number
  readonly voters: readonly { readonly nodeId: number; readonly port: number }[]
  readonly logDir: string
  readonly minInSyncReplicas: number
  /** Settings of the listener with TLS and SASL, made by `securedSettings`, and its port. */
  readonly secured: { readonly port: number; readonly settings: Readonly<Record<string, string>> } | undefined
  /** Settings that win over all others. */
  readonly overrides?: Readonly<Record<string, string>>
}

/**
 * Settings of a combined broker and controller with static voters. Replication and controllers use their own listeners, so that faults
 * of the proxy never cut them. Time-outs are short, so that a dead leader is replaced within seconds; pools are small, as three brokers
 * share few cores.
 */
export function brokerSettings(options: BrokerSettingsOptions): Readonly<Record<string, string>> {
  const { ports, secured, voters } = options
  const replicas = String(Math.min(3, voters.length))
  const minInSync = String(Math.min(2, voters.length))
  const at = (name: string, port: number) => `${name}://127.0.0.1:${port}`
  const clientListeners = [at('PLAINTEXT', ports.broker), ...(secured ? [at('SECURED', secured.port)] : [])]
  return {
    'process.roles': 'broker,controller',
    'node.id': String(options.nodeId),
    'controller.quorum.voters': voters.map(({ nodeId, port }) => `${nodeId}@127.0.0.1:${port}`).join(','),
    listeners: [...clientListeners, at('PROXY', ports.proxy), at('CONTROLLER', ports.controller)].join(','),
    'advertised.listeners': [...clientListeners, at('PROXY', options.advertisedProxyPort)].join(','),
    'listener.security.protocol.map': `PLAINTEXT:PLAINTEXT,PROXY:PLAINTEXT,CONTROLLER:PLAINTEXT${secured ? ',SECURED:SASL_SSL' : ''}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': options.logDir,
    'auto.create.topics.enable': 'false',
    'num.partitions': '3',
    'default.replication.factor': replicas,
    'min.insync.replicas': String(options.minInSyncReplicas),
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '3',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': minInSync,
    'transaction.state.log.num.partitions': '3',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': minInSync,
    'share.coordinator.state.topic.num.partitions': '3',
    // Fast faults.
    'replica.lag.time.max.ms': '2000',
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'controller.quorum.election.timeout.ms': '500',
    'controller.quorum.election.backoff.max.ms': '500',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
    // Small pools and buffers.
    'num.network.threads': '2',
    'num.io.threads': '2',
    'background.threads': '2',
    'num.replica.fetchers': '1',
    'log.cleaner.dedupe.buffer.size': '2097152',
    'log.index.size.max.bytes': '1048576',
    ...secured?.settings,
    ...options.overrides,
  }
}

/** The settings as a Java properties file. */
export function propertiesText(settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(([name, value]) => {
    const escaped = value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')
    return `${name}=${escaped}`
  })
  return `${lines.join('\n')}\n`
}
