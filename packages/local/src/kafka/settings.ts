import { ConfigError } from '@pipe/core'

/** One setting, by Kafka's own name. */
export interface Setting {
  readonly name: string
  readonly defaultValue: string
  /** Type as DescribeConfigs tells it: 1 boolean, 2 text, 3 int, 5 long, 6 double, 7 list. */
  readonly type: number
  readonly isValid: (value: string) => boolean
}

const longest = '9223372036854775807'

function whole(type: 3 | 5, min: number): Pick<Setting, 'type' | 'isValid'> {
  return {
    type,
    isValid: (value) => /^-?\d+$/.test(value) && Number(value) >= min && Number(value) <= (type === 3 ? 0x7fffffff : 2 ** 63),
  }
}
const yesNo: Pick<Setting, 'type' | 'isValid'> = { type: 1, isValid: (value) => value === 'true' || value === 'false' }
function oneOf(...values: readonly string[]): Pick<Setting, 'type' | 'isValid'> {
  return { type: 2, isValid: (value) => values.includes(value) }
}
const share: Pick<Setting, 'type' | 'isValid'> = { type: 6, isValid: (value) => Number(value) >= 0 && Number(value) <= 1 }
const cleanup: Pick<Setting, 'type' | 'isValid'> = {
  type: 7,
  isValid: (value) => value.split(',').every((one) => one.trim() === 'delete' || one.trim() === 'compact'),
}

function setting(name: string, defaultValue: string | number, kind: Pick<Setting, 'type' | 'isValid'>): [string, Setting] {
  return [name, { name, defaultValue: String(defaultValue), ...kind }]
}

/**
 * Settings of topics, with Kafka's defaults (4.x). Codecs: batches pass through as the producer packed them, so `compression.type` is `producer`.
 *
 * @see https://kafka.apache.org/documentation/#topicconfigs
 */
export const topicSettings: ReadonlyMap<string, Setting> = new Map([
  setting('cleanup.policy', 'delete', cleanup),
  setting('compression.type', 'producer', oneOf('producer')),
  setting('delete.retention.ms', 86_400_000, whole(5, 0)),
  setting('file.delete.delay.ms', 60_000, whole(5, 0)),
  setting('flush.messages', longest, whole(5, 1)),
  setting('flush.ms', longest, whole(5, 0)),
  setting('index.interval.bytes', 4096, whole(3, 0)),
  setting('max.compaction.lag.ms', longest, whole(5, 1)),
  setting('max.message.bytes', 1_048_588, whole(3, 0)),
  setting('message.timestamp.after.max.ms', 3_600_000, whole(5, 0)),
  setting('message.timestamp.before.max.ms', longest, whole(5, 0)),
  setting('message.timestamp.type', 'CreateTime', oneOf('CreateTime', 'LogAppendTime')),
  setting('min.cleanable.dirty.ratio', 0.5, share),
  setting('min.compaction.lag.ms', 0, whole(5, 0)),
  setting('min.insync.replicas', 1, whole(3, 1)),
  setting('preallocate', 'false', yesNo),
  setting('retention.bytes', -1, whole(5, -1)),
  setting('retention.ms', 604_800_000, whole(5, -1)),
  setting('segment.bytes', 1_073_741_824, whole(3, 1_048_576)),
  setting('segment.index.bytes', 10_485_760, whole(3, 4)),
  setting('segment.jitter.ms', 0, whole(5, 0)),
  setting('segment.ms', 604_800_000, whole(5, 1)),
  setting('unclean.leader.election.enable', 'false', yesNo),
])

/**
 * Settings of the brokers. Where Amazon MSK or the short life of a local cluster gives a reason, the default differs from Kafka's: no topics by accident,
 * writes that survive a broker, and dead brokers that are noticed at once.
 */
export const brokerSettings: ReadonlyMap<string, Setting> = new Map([
  setting('auto.create.topics.enable', 'false', yesNo),
  setting('broker.session.timeout.ms', 500, whole(3, 1)),
  setting('connections.max.idle.ms', 600_000, whole(5, 1)),
  setting('default.replication.factor', 3, whole(3, 1)),
  setting('group.initial.rebalance.delay.ms', 0, whole(3, 0)),
  setting('group.max.session.timeout.ms', 1_800_000, whole(3, 1)),
  setting('group.min.session.timeout.ms', 1000, whole(3, 1)),
  setting('log.retention.check.interval.ms', 300_000, whole(5, 1)),
  setting('min.insync.replicas', 2, whole(3, 1)),
  setting('num.partitions', 1, whole(3, 1)),
  setting('offset.metadata.max.bytes', 4096, whole(3, 1)),
  setting('offsets.retention.minutes', 10_080, whole(3, 1)),
  setting('offsets.topic.num.partitions', 3, whole(3, 1)),
  setting('replica.lag.time.max.ms', 1000, whole(5, 1)),
  setting('socket.request.max.bytes', 104_857_600, whole(3, 1)),
  setting('transaction.max.timeout.ms', 900_000, whole(3, 1)),
  setting('transaction.state.log.num.partitions', 3, whole(3, 1)),
])

/** Settings with values. */
export interface SettingValues {
  text(name: string): string
  number(name: string): number
  flag(name: string): boolean
}

/** Reads values through `own`, then the defaults. Names are checked where values come in. */
export function settingValues(known: ReadonlyMap<string, Setting>, own: (name: string) => string | undefined): SettingValues {
  const text = (name: string) => {
    const value = own(name) ?? known.get(name)?.defaultValue
    if (value === undefined) throw new Error(`There is no setting ${name}.`)
    return value
  }
  return { text, number: (name) => Number(text(name)), flag: (name) => text(name) === 'true' }
}

/** Settings of the brokers from `startKafka({ settings })`. @throws ConfigError `PIPE_CONFIG` for an unknown name or a value that cannot be. */
export function brokerValues(given: Readonly<Record<string, string>>, brokers: number): SettingValues {
  const values = new Map<string, string>([
    ['default.replication.factor', String(Math.min(3, brokers))],
    ['min.insync.replicas', String(Math.min(2, brokers))],
  ])
  for (const [name, value] of Object.entries(given)) {
    const known = brokerSettings.get(name)
    if (!known) {
      throw new ConfigError(`The local brokers have no setting "${name}".`, {
        hint: `Known: ${[...brokerSettings.keys()].join(', ')}.`,
      })
    }
    if (typeof value !== 'string' || !known.isValid(value)) {
      throw new ConfigError(`The broker setting ${name} cannot be "${String(value)}".`)
    }
    values.set(name, value)
  }
  return settingValues(brokerSettings, (name) => values.get(name))
}
