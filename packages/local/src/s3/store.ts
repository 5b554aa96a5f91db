import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PipeError } from '@pipe/core'
import { AwsError, localAccount, localRegion } from '../service'
import { type BodyFiles, openBodyFiles } from './body-files'
import { type BucketIndex, openBucketIndex } from './bucket-index'
import type { Change } from './change'

/** Buckets, indexes and bodies under one directory. */
export interface Store {
  readonly bodies: BodyFiles
  /** Milliseconds by the clock of the runtime. */
  now(): number
  buckets(): readonly BucketIndex[]
  find(name: string): BucketIndex | undefined
  /** @throws {@link AwsError} NoSuchBucket */
  bucket(name: string): BucketIndex
  createBucket(name: string, location?: string, owner?: string): BucketIndex
  deleteBucket(name: string): void
  /** Tells everybody who listens what has just happened. */
  announce(change: Change): void
  /** @returns what ends it. */
  onChange(listener: (change: Change) => void): () => void
  /** Flushes the indexes and removes retired bodies. Idempotent. */
  close(): void
}

// A second service of this process on the same directory would be seen by no lock file that names the process.
const openDirectories = new Set<string>()

/**
 * Opens the store in `dir`, creating it when absent: `bodies/` holds the bytes, `buckets/NAME.ndjson` one index each. Bodies that no index names are removed.
 *
 * @throws {@link PipeError} `PIPE_LOCAL_DIR_IN_USE` when another live process holds the directory; `PIPE_LOCAL_S3_INDEX` for a damaged index.
 */
export function openStore(dir: string, now: () => number): Store {
  const root = resolve(dir)
  const indexes = join(root, 'buckets')
  mkdirSync(indexes, { recursive: true })
  const unlock = lock(root)
  const buckets = new Map<string, BucketIndex>()
  let bodies: BodyFiles
  try {
    bodies = openBodyFiles(join(root, 'bodies'))
    const live = new Set<number>()
    for (const file of readdirSync(indexes)) {
      if (!file.endsWith('.ndjson')) {
        // A rewrite that was cut short; the index proper is whole.
        rmSync(join(indexes, file), { force: true, recursive: true })
        continue
      }
      const index = openBucketIndex(join(indexes, file), bodies.retire)
      if (index.name === '') {
        // Killed between creating the file and its first line: the bucket was never acknowledged.
        index.close()
        rmSync(join(indexes, file))
        continue
      }
      buckets.set(index.name, index)
      for (const body of index.bodies()) live.add(body)
    }
    bodies.sweep(live)
  } catch (error) {
    unlock()
    throw error
  }

  const listeners = new Set<(change: Change) => void>()
  const find = (name: string) => buckets.get(name)
  let closed = false
  return {
    bodies,
    now,
    buckets: () => [...buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    find,
    bucket(name) {
      const found = buckets.get(name)
      if (!found) throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404, { BucketName: name })
      return found
    },
    createBucket(name, location = localRegion, owner = localAccount) {
      const created = { name, createdAt: now(), location, ...(owner === localAccount ? {} : { owner }) }
      const index = openBucketIndex(join(indexes, `${name}.ndjson`), bodies.retire, created)
      buckets.set(name, index)
      return index
    },
    deleteBucket(name) {
      const index = buckets.get(name)
      if (!index) return
      rmSync(join(indexes, `${name}.ndjson`))
      buckets.delete(name)
      for (const body of index.bodies()) bodies.retire(body)
      index.close()
    },
    announce(change) {
      for (const listener of listeners) listener(change)
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      if (closed) return
      closed = true
      for (const index of buckets.values()) index.close()
      bodies.close()
      unlock()
    },
  }
}

function lock(root: string): () => void {
  const file = join(root, 'lock')
  const inUse = (holder: string) =>
    new PipeError('PIPE_LOCAL_DIR_IN_USE', `The data directory ${root} is in use by ${holder}.`, {
      hint: 'Close that runtime first, or give this one a directory of its own.',
      details: { dir: root },
    })
  if (openDirectories.has(root)) throw inUse('this process')
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 1) throw error
      const holder = Number(readFileSync(file, 'utf8'))
      // Its own number means a killed process whose number came round again (always so in a container).
      if (holder > 0 && holder !== process.pid && isAlive(holder)) throw inUse(`process ${holder}`)
      rmSync(file, { force: true })
    }
  }
  openDirectories.add(root)
  return () => {
    openDirectories.delete(root)
    rmSync(file, { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
