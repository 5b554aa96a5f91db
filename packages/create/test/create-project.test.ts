import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createProject } from '../src/index'

const run = promisify(execFile)
const source = ['--import', 'tsx', '--conditions=pipe-source']

// That the project runs is tried from the tarballs (scripts/packages/created.mjs).
describe('createProject', () => {
  let parent = ''
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'pipe-create-'))
  })
  afterEach(() => rmSync(parent, { recursive: true, force: true }))

  test('writes the template, with the name of the folder and the versions of this release', async () => {
    const created = await createProject({ folder: join(parent, 'my-pipeline') })
    expect(created.name).toBe('my-pipeline')
    expect(created.files).toContain('.gitignore')
    expect(created.files).toContain('src/log-compactor.ts')
    const manifest = JSON.parse(readFileSync(join(created.folder, 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({ name: 'my-pipeline', dependencies: { '@pipe/core': '^0.1.0', '@pipe/local': '^0.1.0' } })
    expect(Object.values(manifest.dependencies)).not.toContain('')
  })

  test('takes other versions', async () => {
    const { folder } = await createProject({ folder: join(parent, 'a'), versions: { '@pipe/core': 'file:/x.tgz' } })
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    expect(dependencies['@pipe/core']).toBe('file:/x.tgz')
  })

  test('writes into an empty folder only', async () => {
    const folder = join(parent, 'used')
    await createProject({ folder })
    await expect(createProject({ folder })).rejects.toMatchObject({ code: 'PIPE_CREATE_FOLDER' })
    writeFileSync(join(parent, 'file'), '')
    await expect(createProject({ folder: join(parent, 'file') })).rejects.toMatchObject({ code: 'PIPE_CREATE_FOLDER' })
  })

  test.each(['My Pipeline', '-x', 'ä', '.hidden'])('refuses the name %j before it writes', async (name) => {
    await expect(createProject({ folder: join(parent, name) })).rejects.toMatchObject({ code: 'PIPE_CREATE_NAME' })
  })

  test('the command says what to do next, and what is wrong', async () => {
    const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
    const good = await run(process.execPath, [...source, cli, join(parent, 'b')])
    expect(good.stdout).toContain('npm start')
    const bad = run(process.execPath, [...source, cli, join(parent, 'b')])
    await expect(bad).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('is not empty') })
  })
})
