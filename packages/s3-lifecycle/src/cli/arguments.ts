import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError } from '@pipe/core'
import type { ArgsDef } from 'citty'
import type { LifecycleConfiguration } from '../configuration'
import { readInventory } from '../inventory'
import { listBucket } from '../listing'
import { type PriceList, readPrices, usEast1Prices } from '../prices'
import { refuseErrors } from '../rule'
import type { StoredObject } from '../stored-object'

/** Where a command writes: data to `out`, everything else to `note`. */
export interface CommandOutput {
  out(text: string): void
  note(text: string): void
  /** A line that the next one replaces; on what is no terminal, one every ten seconds. */
  progress(text: string): void
}

/** What every command gets. */
export interface CommandContext {
  readonly output: CommandOutput
  readonly signal: AbortSignal
}

/** A command: its options and what it does. Resolves to the exit code. */
export interface Command {
  readonly description: string
  readonly args: ArgsDef
  readonly run: (args: Arguments, context: CommandContext) => Promise<number>
}

/** Parsed options. */
export type Arguments = Readonly<Record<string, string | boolean | undefined>>

/** The text of an option; `undefined` when it was not given. */
export function text(args: Arguments, name: string): string | undefined {
  const value = args[name]
  return typeof value === 'string' ? value : undefined
}

/** Options that say which rules. */
export const rulesArgs: ArgsDef = {
  rules: {
    type: 'string',
    valueHint: 'file',
    description: 'Rules: JSON as of `aws s3api get-bucket-lifecycle-configuration`, or a module that exports `rules`',
  },
}

/** Options that say which objects. */
export const objectsArgs: ArgsDef = {
  bucket: { type: 'string', valueHint: 'name', description: 'The bucket' },
  prefix: { type: 'string', valueHint: 'text', description: 'Only keys that begin so' },
  versions: { type: 'boolean', default: false, description: 'List all versions' },
  inventory: {
    type: 'string',
    valueHint: 'manifest.json',
    description: 'An S3 Inventory instead of a listing: s3://… or a path',
  },
}

/** For programs. */
export const jsonArg: ArgsDef = { json: { type: 'boolean', default: false, description: 'Print data as JSON' } }

/**
 * Loads what a module exports by a name, or a JSON file.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export async function loadExport(file: string, name: string): Promise<unknown> {
  try {
    if (file.endsWith('.json')) return JSON.parse(readFileSync(file, 'utf8')) as unknown
    const module = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>
    if (module[name] !== undefined) return module[name]
  } catch (error) {
    throw new ConfigError(`${file} cannot be read: ${(error as Error).message}.`, { cause: error })
  }
  throw new ConfigError(`${file} exports no "${name}".`, { hint: `Write: export const ${name} = …` })
}

/** The rules of `--rules`; refuses those that S3 would reject. */
export async function rulesFrom(args: Arguments, isEmptyAllowed = false): Promise<LifecycleConfiguration> {
  const file = text(args, 'rules')
  if (file === undefined)
    throw new ConfigError('--rules is missing.', { hint: 'Give a JSON file, or a module that exports `rules`.' })
  const rules = (await loadExport(file, 'rules')) as LifecycleConfiguration
  if (!(isEmptyAllowed && Array.isArray(rules?.Rules) && rules.Rules.length === 0)) refuseErrors(file, rules)
  return rules
}

/** The objects of `--bucket` or `--inventory`; `undefined` when none was named. */
export function listingFrom(args: Arguments, { output, signal }: CommandContext): AsyncIterable<StoredObject> | undefined {
  const [bucket, manifest, prefix = ''] = ['bucket', 'inventory', 'prefix'].map((name) => text(args, name))
  if (manifest !== undefined) {
    const onProgress = ({ done, total }: { done: number; total: number }) => output.progress(`inventory: file ${done}/${total}`)
    return withPrefix(readInventory({ manifest, signal, onProgress }), prefix)
  }
  return bucket === undefined ? undefined : listBucket({ bucket, prefix, versions: args['versions'] === true, signal })
}

async function* withPrefix(objects: AsyncIterable<StoredObject>, prefix: string): AsyncGenerator<StoredObject> {
  for await (const object of objects) if (object.key.startsWith(prefix)) yield object
}

/** `1 TiB`, `64 KiB`, `1000`: bytes. */
export function bytesFrom(name: string, value: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([KMGTP]i?)?B?$/i.exec(value.trim())
  if (!match)
    throw new ConfigError(`--${name} ${JSON.stringify(value)} is no size.`, { hint: "Write it like '64 KiB' or '1 TiB'." })
  const unit = match[2]?.toUpperCase() ?? ''
  const power = unit === '' ? 0 : 'KMGTP'.indexOf(unit[0]!) + 1
  return Math.round(Number(match[1]) * (unit.endsWith('I') || unit === '' ? 1024 : 1000) ** power)
}

/** A whole number of at least `least`. */
export function wholeFrom(name: string, value: string, least = 0): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < least)
    throw new ConfigError(`--${name} ${JSON.stringify(value)} is no whole number of at least ${least}.`)
  return number
}

/** A date, or a moment in ISO 8601. */
export function dateFrom(name: string, value: string): Date {
  const date = new Date(/^\d{4}-\d\d-\d\d$/.test(value) ? `${value}T00:00:00Z` : value)
  if (Number.isNaN(date.getTime()))
    throw new ConfigError(`--${name} ${JSON.stringify(value)} is no date.`, { hint: 'Write it like 2026-11-24.' })
  return date
}

/** The prices of `--prices`, or those that come with the package. */
export function pricesFrom(args: Arguments): PriceList {
  const file = text(args, 'prices')
  return file === undefined ? usEast1Prices : readPrices(file)
}

/** A list with commas. */
export function listFrom(value: string | undefined): string[] {
  return (value ?? '').split(',').filter((item) => item !== '')
}

/**
 * Refuses what a command does not know: citty would pass over it, and `--max-deletes 5` would let everything through.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function refuseUnknown(command: string, args: ArgsDef, rawArgs: readonly string[]): void {
  for (let at = 0; at < rawArgs.length; at++) {
    const given = rawArgs[at]!
    const option = /^--([a-z][a-z0-9-]*)(=?)/.exec(given)
    const definition = option ? args[option[1]!] : undefined
    if (!option || !definition) {
      const known = Object.keys(args).map((name) => `--${name}`)
      throw new ConfigError(`${command} has no option ${JSON.stringify(given)}.`, { hint: `Options: ${known.join(', ')}.` })
    }
    if (definition.type === 'boolean') {
      if (option[2]) throw new ConfigError(`--${option[1]} takes no value.`)
      continue
    }
    if (option[2] === '' && (rawArgs[++at] === undefined || rawArgs[at]!.startsWith('--')))
      throw new ConfigError(`--${option[1]} needs a value.`)
  }
}
