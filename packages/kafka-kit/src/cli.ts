#!/usr/bin/env node
import { PipeError } from '@pipe/core'
import { abortOnInterrupt, type CommandOutput, commandOutput } from '@pipe/core/internal'
import { type ArgsDef, defineCommand, parseArgs, renderUsage } from 'citty'
import { type ConnectionArgs, connectFrom, refuseUnknown } from './cli/arguments'
import { clusterArgs, clusterCommand } from './cli/cluster-command'
import { lagArgs, lagCommand } from './cli/lag-command'
import { redriveArgs, redriveCommand } from './cli/redrive-command'
import { replayArgs, replayCommand } from './cli/replay-command'
import { topicsArgs, topicsCommand } from './cli/topics-command'
import type { Kafka } from './connect'

interface Command {
  readonly description: string
  readonly args: ArgsDef
  readonly run: (kafka: Kafka, args: never, output: CommandOutput, signal: AbortSignal) => Promise<number>
}

const commands: Readonly<Record<string, Command>> = {
  topics: {
    description: 'Lists topics; compares contracts with the cluster and brings it in line',
    args: topicsArgs,
    run: topicsCommand,
  },
  lag: { description: 'Lag of consumer groups, and what it calls for', args: lagArgs, run: lagCommand },
  replay: { description: 'Lets a group read records again: plan, apply, undo', args: replayArgs, run: replayCommand },
  cluster: { description: 'Brokers, leaders, replicas in sync, sizes', args: clusterArgs, run: clusterCommand },
  redrive: { description: 'Writes dead letters back to where they came from', args: redriveArgs, run: redriveCommand },
}

const meta = { name: 'pipe-kafka-kit', description: 'Topics, lag, replay and state of a Kafka cluster' }

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

const output = commandOutput('at once')

async function main([name, ...rawArgs]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || rawArgs.includes('--help') || rawArgs.includes('-h')) {
    console.log(await usage(name))
    return name === undefined ? 1 : 0
  }
  const command = commands[name]
  if (!command) {
    console.error(`pipe-kafka-kit has no command ${JSON.stringify(name)}. Commands: ${Object.keys(commands).join(', ')}.`)
    return 1
  }
  refuseUnknown(name, command.args, rawArgs)
  const args = parseArgs([...rawArgs], command.args)
  const signal = abortOnInterrupt('Interrupted.')
  const kafka = connectFrom(args as unknown as ConnectionArgs)
  try {
    return await command.run(kafka, args as never, output, signal)
  } catch (error) {
    // Ctrl-C is how a watch ends.
    if (signal.aborted && rawArgs.includes('--watch')) return 0
    throw error
  } finally {
    output.clear()
    await kafka.close()
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(PipeError.isInstance(error) ? error.message : error)
  process.exitCode = 1
}
