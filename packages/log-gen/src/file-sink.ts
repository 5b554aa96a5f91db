import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { LogSink } from './sink'

/**
 * A sink into a folder, with the keys as paths below it. A file appears whole or not at all (it is written beside and renamed).
 *
 * @example
 * ```ts
 * await generateWindow({ log, sink: toFile('out/raw'), at: '2026-11-24T15:32:00Z' })
 * ```
 */
export function toFile(dir: string): LogSink {
  return {
    put: async (file, { signal }) => {
      const path = resolve(dir, file.key)
      await mkdir(dirname(path), { recursive: true })
      const beside = `${path}.${randomUUID()}.part`
      try {
        await writeFile(beside, file.body, { signal })
        await rename(beside, path)
      } catch (error) {
        await rm(beside, { force: true })
        throw signal?.aborted ? signal.reason : error
      }
      return { uri: pathToFileURL(path).href }
    },
    close: () => {},
  }
}
