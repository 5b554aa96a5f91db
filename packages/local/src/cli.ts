#!/usr/bin/env node
import { PipeError } from '@pipe/core'
import { defineCommand, renderUsage, runCommand } from 'citty'
import { applyApp } from './app'
import { loadApp } from './app-file'
import { type Local, startLocal } from './runtime'

const args = {
  port: { type: 'string', default: '4566', valueHint: 'number', description: 'Port on 127.0.0.1; 0 takes a free one' },
  dir: {
    type: 'string',
    valueHint: 'folder',
    description: 'Keeps everything there (default: a temporary folder, removed at the end)',
  },
  app: { type: 'string', valueHint: 'pipe.config.ts', description: 'Buckets, functions and rules to make at the start' },
  iam: {
    type: 'string',
    default: 'enforce',
    valueHint: 'enforce|off',
    description: 'Whether the policies of functions are enforced',
  },
} as const

const command = defineCommand({
  meta: { name: 'pipe-local', description: 'S3, Athena, Lambda and EventBridge on one port of this machine' },
  args,
  async run({ args: given, rawArgs }) {
    refuseUnknown(rawArgs)
    const port = Number(given.port)
    if (!/^\d+$/.test(given.port) || port > 65_535)
      throw new PipeError('PIPE_CONFIG', `--port ${given.port} is not a port (0 to 65535).`)
    const app = given.app === undefined ? undefined : await loadApp(given.app)
    const local = await startLocal({
      port,
      iam: given.iam as 'enforce' | 'off',
      ...(given.dir === undefined ? {} : { dir: given.dir }),
      onFailure: ({ at, rule, functionName, message }) =>
        console.error(`${at.toISOString()} ${rule === undefined ? '' : `rule ${rule}: `}${functionName} failed: ${message}`),
    })
    const stopped = stopSignal()
    try {
      if (app) await applyApp(local, app.app, app.from)
      console.log(welcome(local, given.dir))
      await stopped
      console.log('\nClosing … (Ctrl-C again ends at once)')
    } finally {
      await local.close()
    }
  },
})

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

function welcome(local: Local, dir: string | undefined): string {
  const exports = Object.entries(local.env).map(([name, value]) => `  export ${name}=${value}`)
  const functions = local.lambda.list().map(({ name }) => name)
  return [
    `AWS is at ${local.url} (S3, Athena, Lambda, EventBridge), kept in ${dir === undefined ? 'a temporary folder' : local.dir}.`,
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
    const isValue = i > 0 && /^--[a-z]+$/.test(rawArgs[i - 1]!)
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
