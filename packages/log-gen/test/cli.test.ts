import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { groundTruth } from '@pipe/log-gen'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { instantFrom, logFrom, numberFrom, refuseUnknown } from '../src/cli/arguments'
import { truthArgs, truthCommand } from '../src/cli/truth-command'
import { writeArgs, writeCommand } from '../src/cli/write-command'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'log-gen-cli-'))
})
afterAll(() => rm(folder, { recursive: true }))

function recorded() {
  const out: string[] = []
  const notes: string[] = []
  const output = {
    out: (text: string) => void out.push(text),
    note: (text: string) => void notes.push(text),
    progress: () => {},
    end: () => {},
  }
  return { out, notes, output }
}

const span = { from: '2026-11-24T15:00Z', until: '2026-11-24T15:03Z' }

describe('write', () => {
  it('writes the files of a span, and the truth counts what they hold', async () => {
    const { notes, output } = recorded()
    const to = join(folder, 'raw')
    const args = { ...span, to, devices: '3', seed: '7', faults: true, shards: '2' }
    expect(await writeCommand(args, output, new AbortController().signal)).toBe(0)
    const files = await readdir(join(to, 'dt=2026-11-24/hour=15'))
    expect(files).toHaveLength(6)
    const truth = recorded()
    expect(await truthCommand({ ...span, devices: '3', seed: '7', faults: true, shards: '2' }, truth.output)).toBe(0)
    const told = JSON.parse(truth.out.join('')) as { generatedRows: number; files: unknown[]; devices: object }
    expect(told.files).toHaveLength(6)
    expect(notes[0]).toContain(`6 files (0 empty), ${told.generatedRows} lines`)
    const log = await logFrom({ devices: '3', seed: '7', faults: true })
    expect(told.generatedRows).toBe(
      groundTruth(log, { from: '2026-11-24T15:00Z', to: '2026-11-24T15:03Z', shards: 2 }).generatedRows,
    )
  })
})

describe('arguments', () => {
  it('take a log from a module, by the name of its export', async () => {
    const file = join(folder, 'log.mjs')
    await writeFile(file, "export const mine = { kind: 'log', '~lines': {} }\nexport const other = 1\n")
    expect(await logFrom({ log: `${file}#mine` })).toMatchObject({ kind: 'log' })
    await expect(logFrom({ log: file })).rejects.toThrow('exports no log named "log"')
    await expect(logFrom({ log: `${file}#other` })).rejects.toThrow('Its exports: mine, other')
    await expect(logFrom({ log: join(folder, 'absent.mjs') })).rejects.toThrow('cannot be loaded')
    await expect(logFrom({ log: file, devices: '3' })).rejects.toThrow('--devices belongs to the built-in log')
  })

  it('are refused by name', () => {
    expect(() => refuseUnknown('write', writeArgs, ['--sed', '7'])).toThrow('write has no option "--sed"')
    expect(() => refuseUnknown('write', writeArgs, ['--to', '--from'])).toThrow('--to needs a value')
    expect(() => refuseUnknown('write', writeArgs, ['--faults=yes'])).toThrow('--faults takes no value')
    expect(() => refuseUnknown('truth', truthArgs, ['--from', span.from])).toThrow('truth needs --until')
    expect(() => refuseUnknown('truth', truthArgs, ['--from', span.from, '--until=2026-11-24'])).not.toThrow()
    expect(() => numberFrom('rate', '5x')).toThrow('--rate "5x" is not a number')
    expect(numberFrom('rate', '0.5')).toBe(0.5)
    expect(() => instantFrom('from', 'yesterday')).toThrow('--from "yesterday" is no instant')
    // Without a zone it is UTC, whatever the zone of the machine.
    expect(instantFrom('from', '2026-11-24').toISOString()).toBe('2026-11-24T00:00:00.000Z')
    expect(instantFrom('from', '2026-11-24T15:00').toISOString()).toBe('2026-11-24T15:00:00.000Z')
  })
})

describe('the process', () => {
  const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--conditions=pipe-source', '--import', 'tsx', cli, ...args], {
      env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    })

  it('streams lines and counts them', async () => {
    const { stdout, stderr } = await run('stream', '--limit', '3', '--rate', '1000', '--from', span.from)
    const lines = stdout.trim().split('\n')
    expect(lines.map((line) => Object.keys(JSON.parse(line)).join())).toEqual(
      Array.from({ length: 3 }, () => 'timestamp,device_name,metric'),
    )
    expect(stderr).toContain('3 scheduled, 3 emitted')
  })
})
