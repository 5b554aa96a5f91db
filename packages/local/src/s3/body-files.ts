import {
  close,
  copyFileSync,
  linkSync,
  mkdirSync,
  open,
  readdirSync,
  readFileSync,
  rmSync,
  unlink,
  unlinkSync,
  write,
} from 'node:fs'
import { copyFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Bodies of objects and parts: plain files named by a number that is never used twice, so no key of a client ever becomes a path. A file
 * that no index names is an orphan of a killed process and is removed at the next start.
 */
export interface BodyFiles {
  /** The folder that holds all of them. */
  readonly dir: string
  /** Absolute path of a body. */
  path(body: number): string
  /** Takes a number (and makes its folder); the caller creates the file. */
  reserve(): number
  /** Writes a small body and keeps it in memory; the caller must not change `bytes` any more. Returns its number. */
  write(bytes: Buffer): Promise<number>
  /** A second name for the bytes of `body`. */
  duplicate(body: number): number
  /** Moves a file in; copies it when it lies on another volume. */
  adopt(file: string): Promise<number>
  /** The bytes of a small body, from memory when it was used lately. */
  read(body: number): Buffer
  /** Removes a body ten minutes later, so that its readers can finish. */
  retire(body: number): void
  /** Removes a body that no reader knows. */
  discard(body: number): void
  /** Removes every file whose number is not in `live`. */
  sweep(live: ReadonlySet<number>): void
  close(): void
}

/** Bodies up to this size are written and read in one go and kept in memory while hot. */
export const smallBodyBytes: number = 256 << 10

const groupSize = 1000
const cacheBytes = 32 << 20
const retireMs = 10 * 60_000

// Creating a file takes from 20 µs to a millisecond, by file system and its state, so it must not hold up the event loop. Callbacks, because a FileHandle
// costs more than the write of a small body.
function createFile(path: string, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    open(path, 'wx', (failure, descriptor) => {
      if (failure) {
        reject(failure)
        return
      }
      const writeFrom = (offset: number): void => {
        write(descriptor, bytes, offset, bytes.length - offset, null, (error, written) => {
          if (!error && offset + written < bytes.length) {
            writeFrom(offset + written)
            return
          }
          close(descriptor, (closing) => {
            const reason = error ?? closing
            if (!reason) resolve()
            else unlink(path, () => reject(reason))
          })
        })
      }
      writeFrom(0)
    })
  })
}

/** Opens the folder `dir` of bodies. */
export function openBodyFiles(dir: string): BodyFiles {
  mkdirSync(dir, { recursive: true })
  const groups = new Set<number>()
  const retired: { readonly body: number; readonly at: number }[] = []
  const cache = new Map<number, Buffer>()
  let cached = 0
  let next = 1
  for (const group of readdirSync(dir)) {
    if (!/^\d+$/.test(group)) continue
    groups.add(Number(group))
    for (const name of readdirSync(join(dir, group))) if (/^\d+$/.test(name)) next = Math.max(next, Number(name) + 1)
  }

  const path = (body: number) => join(dir, String(Math.floor(body / groupSize)), String(body))
  const timer = setInterval(() => removeRetired(Date.now() - retireMs), 60_000)
  timer.unref()

  function reserve(): number {
    const body = next++
    const group = Math.floor(body / groupSize)
    if (!groups.has(group)) {
      mkdirSync(join(dir, String(group)), { recursive: true })
      groups.add(group)
    }
    return body
  }

  function removeRetired(before: number): void {
    let count = 0
    while (count < retired.length && retired[count]!.at <= before) rmSync(path(retired[count++]!.body), { force: true })
    retired.splice(0, count)
  }

  function forget(body: number): void {
    cached -= cache.get(body)?.length ?? 0
    cache.delete(body)
  }

  function keep(body: number, bytes: Buffer): void {
    cache.set(body, bytes)
    cached += bytes.length
    for (const [oldest] of cache) {
      if (cached <= cacheBytes) break
      forget(oldest)
    }
  }

  return {
    dir,
    path,
    reserve,
    async write(bytes) {
      const body = reserve()
      await createFile(path(body), bytes)
      keep(body, bytes)
      return body
    },
    duplicate(body) {
      const copy = reserve()
      try {
        linkSync(path(body), path(copy))
      } catch {
        // Volumes without hard links; a body that is missing fails here again, with its path.
        copyFileSync(path(body), path(copy))
      }
      return copy
    },
    async adopt(file) {
      const body = reserve()
      try {
        await rename(file, path(body))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
        await copyFile(file, path(body))
        await rm(file)
      }
      return body
    },
    read(body) {
      const hot = cache.get(body)
      if (hot) {
        cache.delete(body)
        cache.set(body, hot)
        return hot
      }
      const bytes = readFileSync(path(body))
      if (bytes.length <= smallBodyBytes) keep(body, bytes)
      return bytes
    },
    retire(body) {
      forget(body)
      retired.push({ body, at: Date.now() })
    },
    discard(body) {
      forget(body)
      rmSync(path(body), { force: true })
    },
    sweep(live) {
      for (const group of groups) {
        for (const name of readdirSync(join(dir, String(group)))) {
          if (!live.has(Number(name))) unlinkSync(join(dir, String(group), name))
        }
      }
    },
    close() {
      clearInterval(timer)
      removeRetired(Number.POSITIVE_INFINITY)
      cache.clear()
      cached = 0
    },
  }
}
