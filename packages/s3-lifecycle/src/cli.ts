#!/usr/bin/env node
import { PipeError } from '@pipe/core'
import { defineCommand, parseArgs, renderUsage } from 'citty'
import { affectsCommand } from './cli/affects-command'
import { type Arguments, type Command, type CommandOutput, refuseUnknown } from './cli/arguments'
import { costCommand } from './cli/cost-command'
import { applyCommand, planCommand } from './cli/plan-command'
import { replicationCommand } from './cli/replication-command'
import { restoreCommand } from './cli/restore-command'
import { simulateCommand } from './cli/simulate-command'

const commands: Readonly<Record<string, Command>> = {
  plan: planCommand,
  apply: applyCommand,
  simulate: simulateCommand,
  cost: costCommand,
  affects: affectsCommand,
  replication: replicationCommand,
  restore: restoreCommand,
}

const meta = {
  name: 'pipe-s3-lifecycle',
  description: 'Lifecycle, replication and restore of S3 buckets: plan, simulate, price, apply',
}

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

const isTerminal = process.stderr.isTTY === true
let progressAt = 0
let hasProgress = false

function clearProgress(): void {
  if (hasProgress) process.stderr.write('\r\u001b[K')
  hasProgress = false
}

const output: CommandOutput = {
  out(text) {
    clearProgress()
    console.log(text)
  },
  note(text) {
    clearProgress()
    console.error(text)
  },
  progress(text) {
    if (isTerminal) {
      process.stderr.write(`\r\u001b[K${text}`)
      hasProgress = true
    } else if (Date.now() - progressAt >= 10_000) {
      progressAt = Date.now()
      console.error(text)
    }
  },
}

async function main([name, ...rawArgs]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || rawArgs.includes('--help') || rawArgs.includes('-h')) {
    console.log(await usage(name))
    return name === undefined ? 1 : 0
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) {
    console.error(`pipe-s3-lifecycle has no command ${JSON.stringify(name)}. Commands: ${Object.keys(commands).join(', ')}.`)
    return 1
  }
  refuseUnknown(name, command.args, rawArgs)
  const args = parseArgs([...rawArgs], command.args) as Arguments
  const abort = new AbortController()
  let isInterrupted = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isInterrupted) process.exit(130)
      isInterrupted = true
      abort.abort(new PipeError('PIPE_ABORTED', 'Interrupted.'))
    })
  }
  try {
    return await command.run(args, { output, signal: abort.signal })
  } finally {
    clearProgress()
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(PipeError.isInstance(error) ? error.message : error)
  process.exitCode = 1
}
