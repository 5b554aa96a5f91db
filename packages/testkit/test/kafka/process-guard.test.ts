import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const guardFile = fileURLToPath(new URL('../../src/kafka/process-guard.ts', import.meta.url))

/** Starts a process that guards an idle one and a folder, then does what `then` says. */
async function startGuarded(then: string) {
  const folder = mkdtempSync(join(tmpdir(), 'pipe-guard-'))
  writeFileSync(join(folder, 'log'), 'x')
  const program = `
    import { spawn } from 'node:child_process'
    import { guardProcesses } from ${JSON.stringify(guardFile)}
    const idle = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    const guard = guardProcesses(${JSON.stringify(folder)})
    guard.watch(idle.pid)
    console.log(idle.pid)
    ${then}`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const pid = await new Promise<number>((resolve) => child.stdout.once('data', (chunk) => resolve(Number(chunk))))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  return { folder, child, pid, ended }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  'after %s of the guarded process, what it watched is gone and the folder too',
  async (signal) => {
    const { folder, child, pid, ended } = await startGuarded('')
    expect(isAlive(pid)).toBe(true)
    child.kill(signal)
    await ended
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
    await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false)
  },
)

test('process.exit does the same', async () => {
  const { folder, pid, ended } = await startGuarded('setTimeout(() => process.exit(0), 200)')
  await ended
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
  await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false)
})

test('a released guard leaves everything alone, and what is forgotten lives on', async () => {
  const released = await startGuarded('await guard.release(); process.exit(0)')
  const forgotten = await startGuarded('guard.forget(idle.pid); setTimeout(() => process.exit(0), 200)')
  try {
    await Promise.all([released.ended, forgotten.ended])
    await expect.poll(() => existsSync(forgotten.folder), { timeout: 10_000 }).toBe(false)
    expect([isAlive(released.pid), isAlive(forgotten.pid), existsSync(released.folder)]).toEqual([true, true, true])
  } finally {
    for (const { pid, folder } of [released, forgotten]) {
      process.kill(pid, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
  }
})
