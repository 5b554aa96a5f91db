import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import {
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge'
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3'
import type { Athena } from '@pipe/athena-query'
import type { Duration } from '@pipe/core'
import type { Local } from '@pipe/local'
import { places } from './places'
import { tableStatements } from './table-statements'

/** How the pipeline is deployed. */
export interface Deployment {
  readonly engine: 'athena' | 'in-process'
  readonly tick: Duration
  readonly window: Duration
  /** Folder of recorded series; absent: the generated fleet. */
  readonly input?: string | undefined
  /** Which devices write. Default those of the hour. */
  readonly fleet?: 'hour' | 'day' | undefined
  /** Changed policies, for showing what a missing right does. Default: the files of `policies/`. */
  readonly policies?: Partial<Record<FunctionName, object>> | undefined
}

export type FunctionName = 'log-generator' | 'log-compactor'

/** How long after its end a window is left alone: the tick that closes it fires at that very instant. */
export function graceOf({ tick }: Pick<Deployment, 'tick'>): Duration {
  return tick
}

/** Makes the bucket, the tables, the functions and their rules. The calls are those of a deployment to AWS. */
export async function deploy(
  local: Local,
  clients: { readonly s3: S3Client; readonly athena: Athena },
  deployment: Deployment,
): Promise<void> {
  await clients.s3.send(new CreateBucketCommand({ Bucket: places.bucket }))
  await createTables(clients.athena, deployment)
  await deployFunctions(local, deployment)
  const events = new EventBridgeClient(local.aws)
  for (const [name, every] of [
    ['log-generator', deployment.tick],
    ['log-compactor', deployment.window],
  ] as const) {
    await events.send(new PutRuleCommand({ Name: name, ScheduleExpression: `rate(${every})` }))
    const Arn = `arn:aws:lambda:us-east-1:000000000000:function:${name}`
    await events.send(new PutTargetsCommand({ Rule: name, Targets: [{ Id: name, Arn }] }))
  }
  events.destroy()
}

/** Turns a rule off or on: the devices fall silent, or the compactor rests. */
export async function setRule(local: Local, name: FunctionName, state: 'on' | 'off'): Promise<void> {
  const events = new EventBridgeClient(local.aws)
  await events.send(state === 'on' ? new EnableRuleCommand({ Name: name }) : new DisableRuleCommand({ Name: name }))
  events.destroy()
}

async function createTables(athena: Athena, { window, tick }: Deployment): Promise<void> {
  await athena.execute(`CREATE DATABASE IF NOT EXISTS ${places.database}`)
  for (const statement of tableStatements({ window, grace: graceOf({ tick }) })) await athena.execute(statement)
}

async function deployFunctions(local: Local, deployment: Deployment): Promise<void> {
  const { engine, tick, window, input, policies } = deployment
  const policyFiles: Record<FunctionName, string> = {
    'log-generator': 'log-generator.json',
    'log-compactor': engine === 'athena' ? 'log-compactor.json' : 'log-compactor-in-process.json',
  }
  const policyOf = async (name: FunctionName) =>
    policies?.[name] ?? JSON.parse(await readFile(path(`../policies/${policyFiles[name]}`), 'utf8'))
  const common = { BUCKET: places.bucket, RAW_PREFIX: places.raw }
  await local.lambda.deploy({
    name: 'log-generator',
    entry: path(generatorOf(deployment)),
    env: input === undefined ? common : { ...common, INPUT: input, TICK: tick, WINDOW: window },
    timeout: '30 seconds',
    memoryMb: 256,
    policy: await policyOf('log-generator'),
    ...invokedByRule('log-generator'),
  })
  await local.lambda.deploy({
    name: 'log-compactor',
    entry: path('./log-compactor.ts'),
    env: {
      ...common,
      COMPACTED_PREFIX: places.compacted,
      RESULTS_PREFIX: places.results,
      DATABASE: places.database,
      COMPACTED_TABLE: places.compactedTable,
      WINDOW: window,
      GRACE: graceOf({ tick }),
      ENGINE: engine,
      WORKGROUP: 'primary',
    },
    timeout: '2 minutes',
    memoryMb: 512,
    policy: await policyOf('log-compactor'),
    ...invokedByRule('log-compactor'),
  })
}

/** Its rule may invoke it. A tick that failed is made up for by the next one, so Lambda need not try it again. */
function invokedByRule(name: FunctionName) {
  const sourceArn = `arn:aws:events:us-east-1:000000000000:rule/${name}`
  return { permissions: [{ principal: 'events.amazonaws.com', sourceArn }], asyncRetries: 0 }
}

function generatorOf({ input, fleet }: Deployment): string {
  if (input !== undefined) return './replay-generator.ts'
  return fleet === 'day' ? './day-generator.ts' : './log-generator.ts'
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}
