import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError } from '@pipe/core'
import type { LogSink } from './sink'

/**
 * A sink into a folder, with the keys as paths below it. A file appears whole or not at all (it is written beside and renamed).
 *
 * `put` throws {@link ConfigError} `PIPE_LOG_KEY` for a key that leads out of the folder.
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
      if (!path.startsWith(resolve(dir) + sep)) {
        throw new ConfigError(`The key ${JSON.stringify(file.key)} leads out of ${dir}.`, {
          code: 'PIPE_LOG_KEY',
          hint: 'Keys are paths below the folder, without "..".',
        })
      }
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
