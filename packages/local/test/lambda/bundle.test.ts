import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { createBundler } from '../../src/lambda/bundle'

const work = mkdtempSync(join(tmpdir(), 'pipe-bundle-test-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

it('writes into the cache of the package, removes what a killed process left there, and its own files at close', async () => {
  const entry = join(work, 'package', 'src', 'function.mjs')
  const cache = join(work, 'package', 'node_modules', '.cache', 'pipe-local')
  mkdirSync(join(work, 'package', 'src'), { recursive: true })
  writeFileSync(join(work, 'package', 'package.json'), '{}')
  writeFileSync(entry, 'export const handler = async () => 1')
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  mkdirSync(join(cache, `${dead}-0badcafe`), { recursive: true })
  mkdirSync(join(cache, `${process.ppid}-0badcafe`), { recursive: true })
  const bundler = createBundler(join(work, 'fallback'))
  const { file, bytes } = await bundler.bundle({ name: 'f', entry, handler: 'handler', external: [] })
  expect(file.startsWith(cache)).toBe(true)
  expect(bytes).toBeGreaterThan(100)
  expect(readdirSync(cache).some((name) => name.startsWith(`${dead}-`))).toBe(false)
  expect(readdirSync(cache)).toContain(`${process.ppid}-0badcafe`)
  bundler.close()
  expect(existsSync(file)).toBe(false)
})

it('names a native package by its place when it cannot be found from the bundle', async () => {
  const bundler = createBundler(join(work, 'fallback'))
  const entry = fileURLToPath(new URL('./functions/duckdb.ts', import.meta.url))
  const outside = join(work, 'outside.ts')
  writeFileSync(outside, `export { handler } from ${JSON.stringify(entry)}`)
  const { file } = await bundler.bundle({ name: 'f', entry: outside, handler: 'handler', external: [] })
  expect(file.startsWith(join(work, 'fallback'))).toBe(true)
  const run = spawnSync(process.execPath, [file], { encoding: 'utf8' })
  // It loads DuckDB, and only then misses its host.
  expect(run.stderr).toContain('runs in a process of the Lambda host')
  bundler.close()
})
