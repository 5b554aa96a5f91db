#!/usr/bin/env node
import { ConfigError, PipeError } from '@pipe/core'
import { type ArgsDef, defineCommand, parseArgs, renderUsage } from 'citty'
import { refuseUnknown } from './cli/arguments'
import { gapsArgs, gapsCommand } from './cli/gaps-command'
import type { CommandOutput } from './cli/output'
import { createOutput } from './cli/output'
import { streamArgs, streamCommand } from './cli/stream-command'
import { truthArgs, truthCommand } from './cli/truth-command'
import { writeArgs, writeCommand } from './cli/write-command'

interface Command {
  readonly description: string
  readonly args: ArgsDef
  readonly example: string
  run(args: never, output: CommandOutput, signal: AbortSignal): Promise<number>
}

const commands: Readonly<Record<string, Command>> = {
  write: {
    description: 'Writes the files of a span into a folder or S3',
    args: writeArgs,
    example: "write --to s3://lake/raw/ --from 2026-11-24T00:00Z --until 2026-11-25T00:00Z --devices 100 --every '1 second'",
    run: writeCommand,
  },
  stream: {
    description: 'Writes lines to the standard output as time passes',
    args: streamArgs,
    example: 'stream --devices 20 --rate 100 --limit 1000',
    run: streamCommand,
  },
  truth: {
    description: 'Prints what the files of a span hold, and each fault, as JSON',
    args: truthArgs,
    example: 'truth --log ./log.mjs --from 2026-11-24T15:00Z --until 2026-11-24T16:00Z',
    run: truthCommand,
  },
  gaps: {
    description: 'Lists the files of a span that are not on S3',
    args: gapsArgs,
    example: 'gaps --log ./log.mjs --at s3://lake/raw/ --from 2026-11-24T15:00Z --until 2026-11-24T16:00Z',
    run: gapsCommand,
  },
}

const meta = { name: 'pipe-log-gen', description: 'Deterministic logs with seeded faults and a ground truth' }

async function usage(name: string | undefined): Promise<string> {
  const command = name === undefined ? undefined : commands[name]
  if (command) {
    const text = await renderUsage(
      defineCommand({ meta: { name: `${meta.name} ${name}`, description: command.description }, args: command.args }),
    )
    return `${text}\nExample: npx @pipe/log-gen ${command.example}`
  }
  const subCommands = Object.fromEntries(
    Object.entries(commands).map(([key, { description, args }]) => [
      key,
      defineCommand({ meta: { name: key, description }, args }),
    ]),
  )
  const examples = Object.values(commands).map(({ example }) => `  npx @pipe/log-gen ${example}`)
  return `${await renderUsage(defineCommand({ meta, subCommands }))}\nExamples:\n${examples.join('\n')}`
}

async function main([name, ...rawArgs]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || rawArgs.includes('--help') || rawArgs.includes('-h')) {
    console.log(await usage(name))
    return name === undefined ? 1 : 0
  }
  const command = commands[name]
  if (!command) {
    throw new ConfigError(`pipe-log-gen has no command ${JSON.stringify(name)}.`, {
      hint: `Commands: ${Object.keys(commands).join(', ')}.`,
    })
  }
  refuseUnknown(name, command.args, rawArgs)
  const args = parseArgs([...rawArgs], command.args)
  const abort = new AbortController()
  let interrupted = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (interrupted) process.exit(130)
      interrupted = true
      abort.abort(new PipeError('PIPE_ABORTED', 'Interrupted.'))
    })
  }
  const output = createOutput()
  try {
    return await command.run(args as never, output, abort.signal)
  } finally {
    output.end()
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  // Whoever read the lines has enough of them.
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exitCode = 0
  else {
    console.error(PipeError.isInstance(error) ? error.message : error)
    process.exitCode = 1
  }
}
