import { once } from 'node:events'
import { createReadStream, createWriteStream, mkdtempSync, rmSync, type WriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeUnreadableRows, type ObjectStore, type UnreadableRow } from '@pipe/core'

/** Entries are held in memory up to this many characters, then on disk: a file of nothing but noise must not fill the memory. */
const inMemoryCharacters = 8 * 1024 * 1024

/** The unreadable rows of one attempt, on their way into one object. */
export interface Quarantine {
  /** Rows that the entries stand for. */
  readonly rows: number
  add(row: UnreadableRow): void
  /**
   * Writes the object: NDJSON, one {@link UnreadableRow} a line. Nothing is written when there are no entries.
   *
   * @returns the key and the rows, or `undefined`.
   */
  save(
    store: ObjectStore,
    key: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly key: string; readonly rows: number } | undefined>
  /** Removes what stands on disk. Idempotent. */
  dispose(): void
}

/** An empty quarantine. */
export function createQuarantine(): Quarantine {
  let rows = 0
  let entries = 0
  let pending: string[] = []
  let pendingCharacters = 0
  let dir: string | undefined
  let spill: WriteStream | undefined
  let failure: Error | undefined

  const flush = () => {
    if (spill === undefined) {
      dir = mkdtempSync(join(tmpdir(), 'pipe-quarantine-'))
      spill = createWriteStream(join(dir, 'rows.ndjson'))
      spill.on('error', (error) => (failure = error))
    }
    spill.write(pending.join(''))
    pending = []
    pendingCharacters = 0
  }

  return {
    get rows() {
      return rows
    },
    add(row) {
      rows += row.rows
      entries++
      const line = encodeUnreadableRows([row])
      pending.push(line)
      pendingCharacters += line.length
      if (pendingCharacters > inMemoryCharacters) flush()
    },
    async save(store, key, signal) {
      if (entries === 0) return undefined
      const put = { contentType: 'application/x-ndjson', ...(signal && { signal }) }
      if (spill === undefined) await store.put(key, pending.join(''), put)
      else {
        flush()
        spill.end()
        if (failure === undefined) await once(spill, 'close')
        if (failure !== undefined) throw failure
        await store.put(key, createReadStream(join(dir!, 'rows.ndjson')), put)
      }
      return { key, rows }
    },
    dispose() {
      spill?.destroy()
      if (dir !== undefined) rmSync(dir, { recursive: true, force: true })
      dir = undefined
    },
  }
}
