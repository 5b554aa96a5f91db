import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError, column, type Duration, defineTable } from '@pipe/core'
import type { ArgsDef } from 'citty'
import type { LogSource } from '../lines'
import { defineLog } from '../log'
import type { LogFormat } from '../log-format'
import { measure } from '../measure'

/** Options that say which log. */
export const logArgs: ArgsDef = {
  log: { type: 'string', valueHint: 'file[#export]', description: 'Module that exports a log (default: its export "log")' },
  devices: { type: 'string', valueHint: 'n', description: 'Without --log: number of sensors (default 10)' },
  every: { type: 'string', valueHint: 'duration', description: "Without --log: time between two records (default '1 second')" },
  seed: { type: 'string', valueHint: 'n', description: 'Without --log: seed (default 1)' },
  format: { type: 'string', valueHint: 'ndjson|csv|tsv|parquet', description: 'Without --log: format (default ndjson)' },
  faults: { type: 'boolean', default: false, description: 'Without --log: some late, doubled and malformed records' },
}

/** Options that say which files. */
export const spanArgs: ArgsDef = {
  from: { type: 'string', valueHint: 'instant', description: 'Start of the first file, ISO 8601, UTC', required: true },
  until: { type: 'string', valueHint: 'instant', description: 'End of the last file', required: true },
  shards: { type: 'string', valueHint: 'n', description: 'Files that the devices are divided into (default 1)' },
}

/** The parsed {@link logArgs}. */
export interface LogArgs {
  readonly log?: string | undefined
  readonly devices?: string | undefined
  readonly every?: string | undefined
  readonly seed?: string | undefined
  readonly format?: string | undefined
  readonly faults?: boolean | undefined
}

/** The parsed {@link spanArgs}. */
export interface SpanArgs {
  readonly from: string
  readonly until: string
  readonly shards?: string | undefined
}

/**
 * A whole number of an option; `undefined` stays.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function numberFrom(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new ConfigError(`--${name} ${JSON.stringify(text)} is not a number.`)
  return Number(text)
}

/** The span of {@link spanArgs}. */
export function spanFrom({ from, until, shards }: SpanArgs): { from: Date; to: Date; shards: number | undefined } {
  return { from: instantFrom('from', from), to: instantFrom('until', until), shards: numberFrom('shards', shards) }
}

/** An instant; without a zone it is UTC. */
export function instantFrom(name: string, text: string): Date {
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text)
  const at = new Date(hasZone ? text : `${text}${text.includes('T') ? '' : 'T00:00'}Z`)
  if (Number.isNaN(at.getTime())) {
    throw new ConfigError(`--${name} ${JSON.stringify(text)} is no instant.`, { hint: 'Write it as 2026-11-24T15:00Z.' })
  }
  return at
}

/**
 * The log that the arguments name, or a fleet of sensors.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` when there is no such export, or for an option of the fleet beside `--log`.
 */
export async function logFrom(args: LogArgs): Promise<LogSource> {
  if (args.log === undefined) return sensors(args)
  for (const name of ['devices', 'every', 'seed', 'format'] as const) {
    if (args[name] !== undefined) throw new ConfigError(`--${name} belongs to the built-in log: leave it out with --log.`)
  }
  const [file, name = 'log'] = args.log.split('#') as [string, string?]
  let module: Record<string, unknown>
  try {
    module = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>
  } catch (cause) {
    throw new ConfigError(`--log ${file} cannot be loaded: ${(cause as Error).message}.`, {
      hint: 'Give a JavaScript module; TypeScript needs Node 22.18 or later, or a loader (node --import tsx).',
      cause,
    })
  }
  const found = module[name]
  if (typeof found !== 'object' || found === null || !('~lines' in found)) {
    throw new ConfigError(`${file} exports no log named "${name}".`, {
      hint: `Its exports: ${Object.keys(module).join(', ') || 'none'}. Name one as ${file}#name.`,
    })
  }
  return found as LogSource
}

const sensorReadings = defineTable('sensor_readings', {
  columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double() },
  eventTime: 'timestamp',
  allowedLateness: '10 minutes',
  allowedSkew: '1 minute',
})

function sensors({ devices, every, seed, format, faults }: LogArgs): LogSource {
  return defineLog({
    table: sensorReadings,
    seed: numberFrom('seed', seed) ?? 1,
    devices: numberFrom('devices', devices) ?? 10,
    every: (every ?? '1 second') as Duration,
    format: format as LogFormat | undefined,
    fields: {
      metric: measure({ base: [18, 24], season: { amplitude: 4 }, drift: { amplitude: 1.5, period: '2 hours' }, noise: 0.25 }),
    },
    ...(faults && {
      faults: format === 'parquet' ? { late: 0.01, duplicate: 0.005 } : { late: 0.01, duplicate: 0.005, malformed: 0.005 },
    }),
  })
}

/**
 * Refuses what a command does not know: citty would pass over it, and `--sed 7` would write other data.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function refuseUnknown(command: string, args: ArgsDef, rawArgs: readonly string[]): void {
  const given = new Set<string>()
  for (let at = 0; at < rawArgs.length; at++) {
    const text = rawArgs[at] as string
    const option = /^--([a-z][a-z-]*)(=?)/.exec(text)
    const definition = option ? args[option[1] as string] : undefined
    if (!option || !definition) {
      throw new ConfigError(`${command} has no option ${JSON.stringify(text)}.`, {
        hint: `Options: ${Object.keys(args)
          .map((name) => `--${name}`)
          .join(', ')}.`,
      })
    }
    given.add(option[1] as string)
    if (definition.type === 'boolean') {
      if (option[2]) throw new ConfigError(`--${option[1]} takes no value.`)
    } else if (option[2] === '' && (rawArgs[++at] === undefined || (rawArgs[at] as string).startsWith('--'))) {
      throw new ConfigError(`--${option[1]} needs a value.`)
    }
  }
  for (const [name, { required }] of Object.entries(args)) {
    if (required && !given.has(name)) throw new ConfigError(`${command} needs --${name}.`)
  }
}
