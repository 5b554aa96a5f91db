#!/usr/bin/env node
import { defineCommand, runCommand, runMain } from 'citty'
import { ConfigError, PipeError } from './error'
import { type Peeked, peek } from './peek'

/** `--where name=value`, as often as wanted. */
function conditions(args: readonly string[]): Record<string, string> {
  const where: Record<string, string> = {}
  args.forEach((arg, i) => {
    const text = arg === '--where' ? args[i + 1] : arg.startsWith('--where=') ? arg.slice('--where='.length) : undefined
    if (text === undefined) return
    const at = text.indexOf('=')
    if (at < 1)
      throw new ConfigError(`--where ${JSON.stringify(text)} is no condition.`, { hint: 'Write --where device_name=d1.' })
    where[text.slice(0, at)] = text.slice(at + 1)
  })
  return where
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return value.toISOString().replace('T', ' ').replace('Z', '')
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  const text = typeof value === 'object' ? jsonText(value) : String(value)
  // Control characters of hostile data must not reach the terminal.
  const safe = text.replaceAll(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  return safe.length <= 60 ? safe : `${safe.slice(0, 59)}…`
}

function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'bigint') return Number.isSafeInteger(Number(item)) ? Number(item) : String(item)
    return item instanceof Map ? Object.fromEntries(item) : item
  })
}

function tableText({ rows }: Peeked): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const lines = [names, ...rows.map((row) => names.map((name) => cellText(row[name])))]
  const widths = names.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)))
  const isNumber = names.map((name) => rows.every((row) => ['number', 'bigint'].includes(typeof (row[name] ?? 0))))
  return lines
    .map((line) =>
      line
        .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** citty passes over what it does not know: `--row 3` would show ten rows. */
function refuseUnknown(rawArgs: readonly string[]): void {
  const known = Object.keys(peekArgs).filter((name) => name !== 'file')
  let files = 0
  for (let i = 0; i < rawArgs.length; i++) {
    const option = /^--?([^=]*)(=?)/.exec(rawArgs[i]!)
    if (!option || rawArgs[i] === '-') {
      if (++files > 1) throw new ConfigError(`peek shows one file, but ${JSON.stringify(rawArgs[i])} is a second one.`)
      continue
    }
    const [, name, equals] = option
    if (!known.includes(name!)) {
      throw new ConfigError(`peek has no option "${rawArgs[i]}".`, {
        hint: `Options: ${known.map((key) => `--${key}`).join(', ')}.`,
      })
    }
    if (name === 'json' || equals === '=') continue
    if (rawArgs[++i] === undefined) throw new ConfigError(`--${name} needs a value.`, { hint: 'For example --rows 5.' })
  }
}

const peekArgs = {
  file: { type: 'positional', description: 's3://bucket/key, or a path', required: true },
  rows: { type: 'string', description: 'How many rows', default: '10' },
  where: { type: 'string', description: 'name=value, only such rows; may be given several times' },
  json: { type: 'boolean', description: 'One JSON object a line', default: false },
} as const

const peekCommand = defineCommand({
  meta: { name: 'peek', description: 'Shows the first rows of a file on S3 or on disk (Parquet, NDJSON, CSV, TSV; gzip).' },
  args: peekArgs,
  async run({ args, rawArgs }) {
    refuseUnknown(rawArgs)
    if (!/^[1-9]\d*$/.test(args.rows)) throw new ConfigError(`--rows ${args.rows} is not a whole number of rows, at least 1.`)
    const found = await peek(args.file, { rows: Number(args.rows), where: conditions(rawArgs) })
    if (args.json) {
      for (const row of found.rows) console.log(jsonText(row))
      return
    }
    if (found.rows.length > 0) console.log(tableText(found))
    const total = found.totalRows === undefined ? '' : `, ${found.totalRows} rows in all`
    console.error(
      `${found.rows.length} rows of ${found.file} (${found.format}${found.isGzip ? ', gzip' : ''}, ${found.sizeBytes} bytes${total})`,
    )
    for (const { line, reason } of found.unreadable.slice(0, 10))
      console.error(`unreadable${line === undefined ? '' : ` line ${line}`}: ${reason}`)
    if (found.unreadable.length > 10) console.error(`${found.unreadableRows} unreadable rows on the way to these.`)
  },
})

const main = defineCommand({
  meta: { name: 'pipe-core', description: 'Table contracts, file formats and the object store of the @pipe packages.' },
  subCommands: { peek: peekCommand },
})

// citty prints a stack for every error; ours are sentences for people.
const [, , name, ...rest] = process.argv
if (name === 'peek' && !rest.includes('--help') && rest.length > 0) {
  try {
    await runCommand(peekCommand, { rawArgs: rest })
  } catch (error) {
    console.error(PipeError.isInstance(error) || error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
} else await runMain(main)
