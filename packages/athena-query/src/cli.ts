#!/usr/bin/env node
import { PipeError, type S3Location } from '@pipe/core'
import { abortOnInterrupt, type CommandOutput, commandOutput } from '@pipe/core/internal'
import { type ArgsDef, defineCommand, parseArgs, renderUsage } from 'citty'
import { type Athena, createAthena } from './athena'
import { checkArguments } from './cli/arguments'
import { describeArgs, describeCommand } from './cli/describe-command'
import { queryArgs, queryCommand } from './cli/query-command'

interface Command {
  readonly description: string
  readonly args: ArgsDef
  readonly run: (athena: Athena, args: never, output: CommandOutput, signal: AbortSignal) => Promise<number>
}

const commands: Readonly<Record<string, Command>> = {
  query: { description: 'Runs a statement and shows its rows', args: queryArgs, run: queryCommand },
  describe: { description: 'Shows a table of the catalogue, or its contract (--code)', args: describeArgs, run: describeCommand },
}

const meta = { name: 'pipe-athena-query', description: 'Queries and tables of Athena' }

function usage(name: string | undefined): Promise<string> {
  const command = name === undefined ? undefined : commands[name]
  if (command)
    return renderUsage(
      defineCommand({ meta: { name: `${meta.name} ${name}`, description: command.description }, args: command.args }),
    )
  const subCommands = Object.fromEntries(
    Object.entries(commands).map(([key, { description, args }]) => [
      key,
      defineCommand({ meta: { name: key, description }, args }),
    ]),
  )
  return renderUsage(defineCommand({ meta, subCommands }))
}

const output = commandOutput('later')

async function main([name, ...rawArgs]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || rawArgs.includes('--help') || rawArgs.includes('-h')) {
    console.log(await usage(name))
    return name === undefined ? 1 : 0
  }
  const command = commands[name]
  if (!command) {
    console.error(`pipe-athena-query has no command ${JSON.stringify(name)}. Commands: ${Object.keys(commands).join(', ')}.`)
    return 1
  }
  checkArguments(name, command.args, rawArgs)
  const args = parseArgs([...rawArgs], command.args) as Record<string, unknown>
  const signal = abortOnInterrupt('Interrupted: the query is stopped.')
  const athena = createAthena({
    workgroup: args['workgroup'] as string | undefined,
    database: args['database'] as string | undefined,
    output: args['output'] as S3Location | undefined,
  })
  try {
    return await command.run(athena, args as never, output, signal)
  } finally {
    output.clear()
    await athena.close()
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(PipeError.isInstance(error) ? error.message : error)
  process.exitCode = 1
}
