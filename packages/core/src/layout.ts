import { ConfigError } from './error'
import { windowId } from './window'

/** How a table is laid out in folders by time: `dt=2026-11-24/hour=15/`, UTC. */
export interface PartitionScheme {
  readonly kind: 'hourly' | 'daily'
  /** Names of the partition columns, all strings. */
  readonly columns: readonly string[]
  /** Length of one partition in milliseconds. */
  readonly lengthMs: number
  /** Values of the partition that holds the instant: `{ dt: '2026-11-24', hour: '15' }`. */
  valuesOf(at: Date): Readonly<Record<string, string>>
  /** Folder of that partition, with a trailing slash. */
  pathOf(at: Date): string
}

function scheme(kind: 'hourly' | 'daily'): PartitionScheme {
  const columns = kind === 'hourly' ? ['dt', 'hour'] : ['dt']
  const valuesOf = (at: Date): Record<string, string> => {
    const iso = at.toISOString()
    return kind === 'hourly' ? { dt: iso.slice(0, 10), hour: iso.slice(11, 13) } : { dt: iso.slice(0, 10) }
  }
  return {
    kind,
    columns,
    lengthMs: kind === 'hourly' ? 3_600_000 : 86_400_000,
    valuesOf,
    pathOf: (at) => Object.entries(valuesOf(at)).reduce((path, [name, value]) => `${path}${name}=${value}/`, ''),
  }
}

/** One partition an hour: `dt=2026-11-24/hour=15/`. The default. */
export function hourly(): PartitionScheme {
  return scheme('hourly')
}

/** One partition a day: `dt=2026-11-24/`. */
export function daily(): PartitionScheme {
  return scheme('daily')
}

/** The parts of the key of one raw object. */
export interface RawKey {
  /** `raw/`, or empty. */
  readonly prefix: string
  readonly partitions: PartitionScheme
  /** Name of the stream: letters, digits, `_`, `.` and `-`. */
  readonly stream: string
  /** Start of the closed minute (or roll) whose records the object holds. */
  readonly at: Date
  /** 0-based shard and number of shards. Default one shard. */
  readonly shard?: { readonly index: number; readonly of: number }
  /** Eight hexadecimal digits of the producer's configuration, so that a changed configuration cannot silently replace old bytes. */
  readonly configHash: string
  /** `ndjson.gz`. */
  readonly extension: string
}

/**
 * Key of a raw object, a pure function of window and configuration:
 * `raw/dt=2026-11-24/hour=15/device_logs-20261124T1531Z-0of1-1a2b3c4d.ndjson.gz`.
 *
 * @throws {@link ConfigError} when the stream name cannot stand in a key.
 */
export function rawKey(parts: RawKey): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(parts.stream)) {
    throw new ConfigError(`${JSON.stringify(parts.stream)} cannot name a stream in a key.`, {
      hint: 'Use letters, digits, "_", "." and "-".',
    })
  }
  const shard = parts.shard ?? { index: 0, of: 1 }
  const name = `${parts.stream}-${windowId(parts.at)}-${shard.index}of${shard.of}-${parts.configHash}.${parts.extension}`
  return `${parts.prefix}${parts.partitions.pathOf(parts.at)}${name}`
}

/**
 * The time that a key names: the start of the minute or roll whose records the object holds, from `-20261124T1531Z` in its last path
 * segment. `undefined` when the key names none.
 */
export function timeOfKey(key: string): Date | undefined {
  const name = key.slice(key.lastIndexOf('/') + 1)
  const match = /(?:^|-)(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(?:(\d{2}))?Z(?=[-.]|$)/.exec(name)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second = '00'] = match
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const at = new Date(iso)
  // Date rolls 31 February over to March: such a key names no time.
  return Number.isNaN(at.getTime()) || at.toISOString() !== iso ? undefined : at
}
