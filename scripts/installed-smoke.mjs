// Uses the installed packages as somebody does who has only them: the command lines, a TypeScript function, S3 and Athena.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const files = {
  'pipe.config.ts': `import { defineApp } from '@pipe/local'
    export default defineApp({
      buckets: ['lake'],
      functions: [{ name: 'writer', entry: './src/writer.ts', env: { BUCKET: 'lake' }, policy: './policy.json', timeout: '20 seconds' }],
      rules: [{ name: 'each-hour', schedule: 'rate(1 hour)', function: 'writer' }],
    })`,
  'policy.json': JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::lake/raw/*' }],
  }),
  'src/writer.ts': `import { createObjectStore, readEnv } from '@pipe/core'
    const { BUCKET } = readEnv(['BUCKET'])
    export const handler = async (event: { readonly n: number }): Promise<{ statusCode: number; body: string }> => {
      await using store = createObjectStore({ location: \`s3://\${BUCKET}/raw/\` })
      await store.put('a.json', JSON.stringify({ n: event.n }))
      return { statusCode: 200, body: 'written' }
    }`,
  'client.mjs': `import assert from 'node:assert/strict'
    import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
    import { createAthena, sql } from '@pipe/athena-query'
    import { column, defineTable, createObjectStore } from '@pipe/core'
    const lambda = new LambdaClient({})
    const { FunctionError, Payload } = await lambda.send(new InvokeCommand({ FunctionName: 'writer', Payload: '{"n":7}' }))
    assert.equal(Payload.transformToString(), '{"statusCode":200,"body":"written"}', FunctionError)
    const store = createObjectStore({ location: 's3://lake/' })
    assert.equal(Buffer.from(await (await store.get('raw/a.json')).bytes()).toString(), '{"n":7}')
    const athena = createAthena({ output: 's3://lake/results/' })
    await athena.execute('CREATE DATABASE lake')
    await athena.execute("CREATE EXTERNAL TABLE lake.t (n int) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/raw/'")
    const query = athena.query(sql\`SELECT n, "$path" AS path FROM lake.t\`, { returns: { n: column.integer(), path: column.string() } })
    assert.deepEqual(await query.rows(), [{ n: 7, path: 's3://lake/raw/a.json' }])
    await athena.close()`,
}

/** Runs a command to its end and returns what it printed; throws when it fails. */
async function output(command, args, options) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk) => (text += chunk))
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${text}`)
  return text
}

/** @param folder Where @pipe/core, athena-query and local are installed, and @aws-sdk/client-lambda. */
export async function useInstalled(folder) {
  mkdirSync(join(folder, 'src'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  // Started itself, not through npx, which passes no signal on.
  const bin = (name) => join(folder, 'node_modules', '.bin', name)
  const local = spawn(bin('pipe-local'), ['--port', '0', '--app', 'pipe.config.ts'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [local.stdout, local.stderr]) stream.setEncoding('utf8').on('data', (chunk) => (printed += chunk))
  const ended = new Promise((resolve, reject) => local.once('error', reject).once('close', resolve))
  try {
    for (const until = Date.now() + 20_000; !printed.includes('Ctrl-C ends it.'); await delay(50)) {
      if (Date.now() > until || local.exitCode !== null) throw new Error(`pipe-local did not start:\n${printed}`)
    }
    const env = {
      ...process.env,
      ...Object.fromEntries(Array.from(printed.matchAll(/export (\w+)=(\S+)/g), ([, name, value]) => [name, value])),
    }
    await output(process.execPath, ['client.mjs'], { cwd: folder, env })
    const peeked = await output('npx', ['--no', '--', '@pipe/core', 'peek', 's3://lake/raw/a.json', '--json'], {
      cwd: folder,
      env,
    })
    if (!peeked.includes('{"n":7}')) throw new Error(`npx @pipe/core peek printed:\n${peeked}`)
    const help = await output('npx', ['--no', '--', '@pipe/local', '--help'], { cwd: folder })
    if (!help.includes('pipe-local')) throw new Error(`npx @pipe/local --help printed:\n${help}`)
  } finally {
    local.kill('SIGINT')
  }
  const code = await ended
  if (code !== 0) throw new Error(`pipe-local ended with ${code}:\n${printed}`)
  console.log('ok  pipe-local --app with a TypeScript function, S3, Athena and pipe-core peek in an installed folder')
}
