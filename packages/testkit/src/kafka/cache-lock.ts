import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PipeError, sleep } from '@pipe/core'

/**
 * Runs `work` while no other process of this machine runs with the same lock file. The file holds the owner's process id; that of a
 * process which is gone is taken over. Two takers of one stale lock may both run in a rare case: `work` must publish by rename, so that
 * this costs time only.
 *
 * @throws {@link PipeError} `PIPE_TESTKIT_LOCK` when a living process keeps the lock for longer than ten minutes.
 */
export async function withLock<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  await mkdir(dirname(file), { recursive: true })
  const giveUpAt = Date.now() + 600_000
  while (!(await take(file))) {
    if (Date.now() > giveUpAt) {
      throw new PipeError('PIPE_TESTKIT_LOCK', `${file} has been held for ten minutes by process ${await ownerOf(file)}.`, {
        hint: 'End that process, or remove the file when it has nothing to do with this repository.',
      })
    }
    await sleep(200)
  }
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}

async function take(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx')
    await handle.writeFile(String(process.pid))
    await handle.close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const owner = await ownerOf(file)
  if (owner === undefined || isAlive(owner)) return false
  // By rename, so that of several takers only one removes the stale file.
  const aside = `${file}.stale-${process.pid}`
  try {
    await rename(file, aside)
    await rm(aside, { force: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return false
}

/** Process id in the lock file; `undefined` when the file is gone or its owner has not written yet. */
async function ownerOf(file: string): Promise<number | undefined> {
  try {
    const text = await readFile(file, 'utf8')
    return text === '' ? undefined : Number(text)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, but belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
