#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { ConfigError } from '@pipe/core'
import { type ArgsDef, defineCommand, renderUsage } from 'citty'
import { explainMatch, nextFireTimes, reviewRules } from './index'

interface Command {
  readonly description: string
  /** Options with a value, by name. */
  readonly options: Readonly<Record<string, string>>
  readonly positional?: string
  /** Prints, and returns the exit code. */
  run(given: {
    readonly positionals: readonly string[]
    readonly options: Readonly<Record<string, string>>
  }): number | Promise<number>
}

const commands: Readonly<Record<string, Command>> = {
  next: {
    description: 'The next instants at which a schedule fires, in UTC',
    positional: "rate(…) or cron(…), for example 'cron(0 18 ? * MON-FRI *)'",
    options: { count: 'How many (5)', from: 'After this instant (now)', start: 'When a rate began (from)' },
    run({ positionals, options }) {
      const [expression] = positionals
      if (expression === undefined) throw new ConfigError('next needs a schedule.', { hint: "Write next 'rate(5 minutes)'." })
      const count = Number(options['count'] ?? 5)
      const from = dateOption(options['from']) ?? new Date()
      const start = dateOption(options['start'])
      for (const at of nextFireTimes(expression, from, { count, ...(start ? { start } : {}) })) console.log(at.toISOString())
      return 0
    },
  },
  explain: {
    description: 'Why an event matches a pattern or does not; ends with 1 when it does not',
    options: { pattern: 'JSON, or a file that holds it', event: 'JSON, or a file that holds it' },
    run({ options }) {
      const { matches, text } = explainMatch(jsonOption('pattern', options), jsonOption('event', options))
      console.log(text)
      return matches ? 0 : 1
    },
  },
  'never-matches': {
    description: 'Rules that no event can match and events without a rule; ends with 1 when there are some',
    positional: 'A module that exports rules ([{ name, pattern }]) and contracts ([defineEvent(…)])',
    options: {},
    async run({ positionals }) {
      const [file] = positionals
      if (file === undefined || !existsSync(file)) {
        throw new ConfigError(
          `never-matches needs a module, ${file === undefined ? 'and none was given' : `and ${file} is not there`}.`,
        )
      }
      const { rules, contracts } = (await import(pathToFileURL(resolve(file)).href)) as Parameters<typeof reviewRules>[0]
      if (!Array.isArray(rules) || !Array.isArray(contracts))
        throw new ConfigError(`${file} does not export rules and contracts as lists.`)
      const { neverMatching, withoutRule } = reviewRules({ rules, contracts })
      for (const { rule, reasons } of neverMatching) {
        console.log(`rule ${rule} can never match:`)
        for (const { contract, reason } of reasons) console.log(`  ${contract}: ${reason}`)
      }
      for (const contract of withoutRule) console.log(`event ${contract} has no rule`)
      console.log(
        `${rules.length} rules, ${neverMatching.length} that never match; ${contracts.length} events, ${withoutRule.length} without a rule`,
      )
      return neverMatching.length + withoutRule.length === 0 ? 0 : 1
    },
  },
}

function dateOption(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text)
}

/** The text of a file, or the option itself. */
function jsonOption(name: string, options: Readonly<Record<string, string>>): string {
  const given = options[name]
  if (given === undefined)
    throw new ConfigError(`explain needs --${name}.`, { hint: `Give JSON, or a file: --${name} ${name}.json` })
  return existsSync(given) ? readFileSync(given, 'utf8') : given
}

function usage(): Promise<string> {
  const subCommands = Object.fromEntries(
    Object.entries(commands).map(([name, { description, options, positional }]) => {
      const args: ArgsDef = positional === undefined ? {} : { what: { type: 'positional', description: positional } }
      for (const [key, text] of Object.entries(options)) args[key] = { type: 'string', description: text }
      return [name, defineCommand({ meta: { name, description }, args })]
    }),
  )
  return renderUsage(defineCommand({ meta: { name: 'pipe-events', description: 'Schedules and event patterns' }, subCommands }))
}

async function main([name, ...rest]: readonly string[]): Promise<number> {
  const command = name === undefined || name === '--help' || rest.includes('--help') ? undefined : commands[name]
  if (!command) {
    console.log(await usage())
    return name === undefined || name === '--help' || rest.includes('--help') ? 0 : 2
  }
  const options = Object.fromEntries(Object.keys(command.options).map((key) => [key, { type: 'string' } as const]))
  // Unknown options are refused by name.
  const { values, positionals } = parseArgs({
    args: [...rest],
    options,
    allowPositionals: command.positional !== undefined,
    strict: true,
  })
  return command.run({ positionals, options: values as Readonly<Record<string, string>> })
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}
