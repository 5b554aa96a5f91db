#!/usr/bin/env node
import { PipeError } from '@pipe/core'
import { defineCommand, renderUsage, runCommand } from 'citty'
import { type AppKafka, applyApp } from './app'
import { loadApp } from './app-file'
import type { KafkaOptions } from './kafka/cluster'
import { type Local, startLocal } from './runtime'

const args = {
  port: { type: 'string', default: '4566', valueHint: 'number', description: 'Port on 127.0.0.1; 0 takes a free one' },
  dir: {
    type: 'string',
    valueHint: 'folder',
    description: 'Keeps everything there (default: a temporary folder, removed at the end)',
  },
  app: { type: 'string', valueHint: 'pipe.config.ts', description: 'Buckets, topics, functions and rules to make at the start' },
  kafka: { type: 'string', valueHint: '1|2|3', description: 'Starts so many Kafka brokers, too' },
  'kafka-port': {
    type: 'string',
    default: '9092',
    valueHint: 'number',
    description: 'Port of the first broker, the others follow; 0 takes free ones',
  },
  iam: {
    type: 'string',
    default: 'enforce',
    valueHint: 'enforce|off',
    description: 'Whether the policies of functions are enforced',
  },
} as const

const command = defineCommand({
  meta: { name: 'pipe-local', description: 'S3, Athena, Lambda and EventBridge on one port of this machine, and Kafka' },
  args,
  async run({ args: given, rawArgs }) {
    refuseUnknown(rawArgs)
    const port = Number(given.port)
    if (!/^\d+$/.test(given.port) || port > 65_535)
      throw new PipeError('PIPE_CONFIG', `--port ${given.port} is not a port (0 to 65535).`)
    const app = given.app === undefined ? undefined : await loadApp(given.app)
    const kafka = kafkaOptions(given.kafka, given['kafka-port'], app?.app.kafka)
    const local = await startLocal({
      port,
      ...(kafka === undefined ? {} : { kafka }),
      iam: given.iam as 'enforce' | 'off',
      ...(given.dir === undefined ? {} : { dir: given.dir }),
      onFailure: ({ at, rule, functionName, message }) =>
        console.error(`${at.toISOString()} ${rule === undefined ? '' : `rule ${rule}: `}${functionName} failed: ${message}`),
    })
    const stopped = stopSignal()
    try {
      if (app) await applyApp(local, app.app, app.from)
      console.log(welcome(local, given.dir, kafka !== undefined))
      await stopped
      console.log('\nClosing … (Ctrl-C again ends at once)')
    } finally {
      await local.close()
    }
  },
})

/** Brokers as the command line, or else the app, asks for them. */
function kafkaOptions(brokers: string | undefined, firstPort: string, app: AppKafka | undefined): KafkaOptions | undefined {
  if (brokers === undefined && app === undefined) return undefined
  const count = brokers === undefined ? (app?.brokers ?? 1) : Number(brokers)
  if (![1, 2, 3].includes(count)) throw new PipeError('PIPE_CONFIG', `--kafka ${brokers} is not 1, 2 or 3.`)
  if (!/^\d+$/.test(firstPort) || Number(firstPort) > 65_533) {
    throw new PipeError('PIPE_CONFIG', `--kafka-port ${firstPort} is not a port (0 to 65533).`)
  }
  const first = Number(firstPort)
  return { brokers: count, ports: first === 0 ? [] : Array.from({ length: count }, (_, i) => first + i) }
}

/** Resolves at the first Ctrl-C (or SIGTERM); the second ends the process without tidying up. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (++seen > 1) process.exit(130)
        resolve()
      })
    }
  })
}

function welcome(local: Local, dir: string | undefined, hasKafka: boolean): string {
  const exports = Object.entries(local.env).map(([name, value]) => `  export ${name}=${value}`)
  const functions = local.lambda.list().map(({ name }) => name)
  return [
    `AWS is at ${local.url} (S3, Athena, Lambda, EventBridge), kept in ${dir === undefined ? 'a temporary folder' : local.dir}.`,
    ...(hasKafka ? [`Kafka is at ${local.kafka.brokers.join(', ')}; its topics are in memory.`] : []),
    ...(functions.length > 0 ? [`Functions: ${functions.join(', ')}.`] : []),
    '',
    ...exports,
    '',
    'Try, in another terminal with these variables:',
    '  aws s3 mb s3://try-me && aws s3 cp package.json s3://try-me/ && aws s3 ls s3://try-me/',
    '  aws lambda list-functions',
    '  aws events list-rules',
    '',
    'Ctrl-C ends it.',
  ].join('\n')
}

function refuseUnknown(rawArgs: readonly string[]): void {
  const known = Object.keys(args)
  for (const [i, arg] of rawArgs.entries()) {
    const name = /^--?([^=]*)/.exec(arg)?.[1]
    const isValue = i > 0 && /^--[a-z-]+$/.test(rawArgs[i - 1]!)
    if (name === undefined ? isValue : known.includes(name)) continue
    throw new PipeError('PIPE_CONFIG', `pipe-local has no option "${arg}".`, {
      hint: `Options: ${known.map((key) => `--${key}`).join(', ')}.`,
    })
  }
}

const rawArgs = process.argv.slice(2)
if (rawArgs.includes('--help') || rawArgs.includes('-h')) {
  console.log(await renderUsage(command))
} else {
  try {
    await runCommand(command, { rawArgs })
    // Nothing is left to wait for: what a client holds open must not keep the process.
    process.exit(0)
  } catch (error) {
    console.error(PipeError.isInstance(error) ? error.message : error)
    process.exit(1)
  }
}
