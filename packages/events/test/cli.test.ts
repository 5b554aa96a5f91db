import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
const dir = await mkdtemp(join(tmpdir(), 'pipe-events-'))
afterAll(() => rm(dir, { recursive: true }))

function run(...args: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=pipe-source', cli, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, text })))
}

it('next, explain and never-matches print and end with their verdict', async () => {
  const module = join(dir, 'rules.mjs')
  writeFileSync(
    module,
    `const schema = { '~standard': { version: 1, vendor: 'x', validate: (value) => ({ value }) } }
    export const contracts = [{ source: 'a', detailType: 'A', schema, jsonSchema: () => undefined }, { source: 'b', detailType: 'B', schema, jsonSchema: () => undefined }]
    export const rules = [{ name: 'a', pattern: { source: ['a'] } }, { name: 'typo', pattern: { source: ['c'] } }]`,
  )
  writeFileSync(join(dir, 'event.json'), '{"total":40}')
  const [next, wrong, explained, never] = await Promise.all([
    run('next', 'cron(0 12 ? * MON *)', '--from', '2026-11-24T00:00:00Z', '--count', '2'),
    run('next', 'rate(1 minutes)'),
    run('explain', '--pattern', '{"total":[{"numeric":[">",50]}]}', '--event', join(dir, 'event.json')),
    run('never-matches', module),
  ])
  expect(next).toEqual({ code: 0, text: '2026-11-30T12:00:00.000Z\n2026-12-07T12:00:00.000Z\n' })
  expect(wrong).toMatchObject({ code: 2, text: expect.stringContaining('column 8') })
  expect(explained).toEqual({ code: 1, text: 'No match: total is 40, the pattern asks [{"numeric":[">",50]}].\n' })
  expect(never).toMatchObject({ code: 1, text: expect.stringContaining('rule typo can never match') })
  expect(never.text).toContain('event b B has no rule\n2 rules, 1 that never match; 2 events, 1 without a rule\n')
})
