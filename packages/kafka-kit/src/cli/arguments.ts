import { readFileSync } from 'node:fs'
import { ConfigError } from '@pipe/core'
import type { ArgsDef } from 'citty'
import { createKafka, type Kafka, type KafkaAuth } from '../connect'
import { mskIam } from '../msk-iam'

/** Options that every command has. */
export const connectionArgs: ArgsDef = {
  brokers: { type: 'string', valueHint: 'host:port,…', description: 'Some brokers of the cluster (default: $KAFKA_BROKERS)' },
  tls: { type: 'boolean', default: false, description: 'Connect with TLS' },
  ca: { type: 'string', valueHint: 'file', description: 'Certificates to trust (PEM); implies --tls' },
  'msk-iam': {
    type: 'string',
    valueHint: 'region',
    description: 'Authenticate against Amazon MSK by the AWS credentials of the environment',
  },
  json: { type: 'boolean', default: false, description: 'Print data as JSON; 64-bit offsets are texts' },
}

/** The parsed {@link connectionArgs}. */
export interface ConnectionArgs {
  readonly brokers?: string | undefined
  readonly tls: boolean
  readonly ca?: string | undefined
  readonly 'msk-iam'?: string | undefined
}

/**
 * Connects as the arguments and the environment say: `KAFKA_USERNAME`, `KAFKA_PASSWORD` and `KAFKA_MECHANISM` (default `scram-sha-512`), as
 * secrets do not belong on a command line.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function connectFrom(args: ConnectionArgs, env: Readonly<Record<string, string | undefined>> = process.env): Kafka {
  const list = args.brokers ?? env['KAFKA_BROKERS']
  if (!list) throw new ConfigError('There are no brokers.', { hint: 'Give --brokers host:port,host:port or set KAFKA_BROKERS.' })
  const ca = args.ca === undefined ? undefined : readCertificates(args.ca)
  const auth = args['msk-iam'] === undefined ? authOf(env) : iamOf(args['msk-iam'], env)
  return createKafka({
    brokers: list.split(',').map((broker) => broker.trim()),
    clientId: 'pipe-kafka-kit',
    ...(ca ? { ssl: { ca } } : args.tls ? { ssl: true } : {}),
    ...(auth ? { auth } : {}),
  })
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`--ca ${file} cannot be read: ${(error as Error).message}.`, { cause: error })
  }
}

function iamOf(region: string, env: Readonly<Record<string, string | undefined>>): KafkaAuth {
  if (env['KAFKA_USERNAME'] || env['KAFKA_PASSWORD']) {
    throw new ConfigError('--msk-iam and KAFKA_USERNAME exclude each other.')
  }
  return mskIam({ region })
}

function authOf(env: Readonly<Record<string, string | undefined>>): KafkaAuth | undefined {
  const username = env['KAFKA_USERNAME']
  const password = env['KAFKA_PASSWORD']
  if (!username && !password) return undefined
  if (!username || !password) throw new ConfigError('KAFKA_USERNAME and KAFKA_PASSWORD must both be set, or neither.')
  const mechanism = (env['KAFKA_MECHANISM'] ?? 'scram-sha-512').toLowerCase()
  if (mechanism !== 'plain' && mechanism !== 'scram-sha-256' && mechanism !== 'scram-sha-512') {
    throw new ConfigError(`KAFKA_MECHANISM ${JSON.stringify(mechanism)} is not known.`, {
      hint: 'plain, scram-sha-256 or scram-sha-512.',
    })
  }
  return { mechanism, username, password }
}

/**
 * Refuses what a command does not know: citty would pass over it, and `--form beginning` would replay from somewhere else.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function refuseUnknown(command: string, args: ArgsDef, rawArgs: readonly string[]): void {
  for (let at = 0; at < rawArgs.length; at++) {
    const given = rawArgs[at]!
    const option = /^--([a-z][a-z-]*)(=?)/.exec(given)
    const definition = option ? args[option[1]!] : undefined
    if (!option || !definition) {
      throw new ConfigError(`${command} has no option ${JSON.stringify(given)}.`, {
        hint: `Options: ${Object.keys(args)
          .map((name) => `--${name}`)
          .join(', ')}.`,
      })
    }
    if (definition.type === 'boolean') {
      if (option[2]) throw new ConfigError(`--${option[1]} takes no value.`)
      continue
    }
    if (option[2] === '' && (rawArgs[++at] === undefined || rawArgs[at]!.startsWith('--')))
      throw new ConfigError(`--${option[1]} needs a value.`)
  }
}

/** A list of names with commas; `undefined` stays. */
export function listFrom(text: string | undefined): string[] | undefined {
  return text
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
