import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { keyOf, type LakeServer, line, putLines, startLakes } from './lake'

const root = fileURLToPath(new URL('..', import.meta.url))
let server: LakeServer
let folder: string
let config: string
let cli: string
beforeAll(async () => {
  server = await startLakes()
  folder = await mkdtemp(join(tmpdir(), 'pipe-cli-'))
  // Inside the package, so that its dependencies are found.
  const built = join(root, 'node_modules', '.cache', 'cli-test')
  cli = join(built, 'cli.mjs')
  config = join(built, 'config.mjs')
  const lake = await server.lake()
  await putLines(lake.raw, keyOf('2026-11-24T15:30:00Z'), [line('2026-11-24T15:30:00Z', 'd1', 1), 'noise'])
  const source = join(folder, 'config.ts')
  await writeFile(
    source,
    `import { column, defineTable } from '@pipe/core'
import { createCompactor, defineCompaction, inProcessEngine } from '@pipe/compactor'
const table = defineTable('device_logs', { columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double() } })
const compaction = defineCompaction({ table, source: '${lake.raw.location}', target: '${lake.compacted.location}', window: '5 minutes' })
export const compactor = createCompactor({ compaction, engine: inProcessEngine() })
`,
  )
  const options: BuildOptions = {
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['pipe-source'],
    external: ['@aws-sdk/*', '@duckdb/*'],
    alias: { '@pipe/compactor': join(root, 'src/index.ts') },
    nodePaths: [join(root, 'node_modules')],
  }
  await build({ ...options, entryPoints: [join(root, 'src/cli.ts')], outfile: cli })
  await build({ ...options, entryPoints: [source], outfile: config })
  await lake.close()
}, 60_000)
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

async function run(...args: string[]) {
  const child = spawn(process.execPath, [cli, ...args], {
    env: { ...process.env, ...server.local.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  const [code] = (await once(child, 'close')) as [number]
  return { code, out, err }
}

it('plans, runs, verifies and explains', async () => {
  const at = ['--at', '2026-11-24T15:35:00Z']
  const plan = await run('plan', '--config', config, ...at)
  expect(plan).toMatchObject({ code: 0, out: expect.stringMatching(/^20261124T1530Z-0 append: 1 files, \d+ bytes; about .*\$/) })
  const ran = await run('run', '--config', config, ...at)
  expect(ran).toMatchObject({ code: 0, out: '20261124T1530Z committed: 1 files, 2 rows in, 1 out, 1 in quarantine\n' })
  const verified = await run('verify', '20261124T1530Z', '--rows', '--json', '--config', config)
  expect(verified.code).toBe(0)
  expect(JSON.parse(verified.out)).toMatchObject({ ok: true, rowsCompared: true })
  const explained = await run('explain', keyOf('2026-11-24T15:30:00Z'), '--config', config)
  expect(explained.out).toMatch(/^committed: Commit 0 of window 20261124T1530Z holds its 2 rows, 1 of them in quarantine\./)
  const again = await run('backfill', '--from', '2026-11-24T15:00:00Z', '--to', '2026-11-24T16:00:00Z', '--config', config)
  expect(again).toMatchObject({ code: 0, out: '12 windows looked at\n' })
  expect((await run('doctor', '--config', config)).out).toMatch(/^ok\s+source: /)
}, 120_000)

it('refuses what it does not know, by name', async () => {
  expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('collect-garbage') })
  expect(await run('explode', '--config', config)).toMatchObject({
    code: 2,
    err: expect.stringContaining('no command "explode"'),
  })
  expect(await run('plan', '--rows', '--config', config)).toMatchObject({
    code: 2,
    err: expect.stringContaining('no option --rows'),
  })
  expect(await run('run', '--at', 'noon', '--config', config)).toMatchObject({ code: 2, err: expect.stringContaining('no time') })
  expect(await run('verify', '--config', config)).toMatchObject({ code: 2, err: expect.stringContaining('takes one WINDOW') })
  expect(await run('run', '--config', '/nowhere.mjs')).toMatchObject({
    code: 2,
    err: expect.stringContaining('no configuration'),
  })
}, 120_000)
