import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rowEncoder } from '@pipe/core/internal'
import type { PlannedInput } from '../state'
import { createCleanFile } from './clean-file'
import type { EngineJob } from './engine'
import { fetchInOrder } from './fetch'
import { lineScanners } from './line-scanner'
import { type FileAccount, scanFile } from './scan-file'

/** Below this size an object is sent in one request. */
const onePutBytes = 8 * 1024 * 1024

/** What came of reading suspect objects in this process. */
export interface CleanObject {
  /** One a suspect, in their order. */
  readonly accounts: readonly FileAccount[]
  /** Whether the clean object exists: not when no row was readable. */
  readonly exists: boolean
}

/**
 * Reads suspect objects in this process: every readable row goes into one clean NDJSON object, every other one to quarantine with line,
 * offset and reason.
 *
 * @throws {@link SourceChangedError} when a suspect is not the planned version any more.
 */
export async function writeCleanObject(job: EngineJob, suspects: readonly PlannedInput[], key: string): Promise<CleanObject> {
  const { compaction, source, target, quarantine, signal } = job
  const { table } = compaction
  const dir = await mkdtemp(join(tmpdir(), 'pipe-clean-'))
  const clean = createCleanFile(join(dir, 'clean.ndjson'))
  try {
    const encode = rowEncoder(table)
    const sink = {
      takeBytes(bytes: Uint8Array, longestLine: number) {
        clean.write(bytes, longestLine)
        if (bytes.at(-1) !== 10) clean.write(Buffer.from('\n'), 0)
      },
      takeRow(row: Readonly<Record<string, unknown>>) {
        const text = Buffer.from(encode(row))
        clean.write(text, text.length)
      },
      takeUnreadable: quarantine.add,
    }
    const scannerOf = lineScanners(table)
    const accounts: FileAccount[] = []
    for await (const file of fetchInOrder(source, suspects, dir, signal)) {
      accounts.push(await scanFile(file, table, compaction, scannerOf, sink, signal))
      job.onProgress({ phase: 'fetch', done: accounts.length, total: suspects.length, unit: 'files' })
    }
    clean.close()
    if (clean.bytes === 0) return { accounts, exists: false }
    const body = clean.bytes <= onePutBytes ? await readFile(clean.path) : createReadStream(clean.path)
    await target.put(key, body, { contentType: 'application/x-ndjson', ...(signal && { signal }) })
    return { accounts, exists: true }
  } finally {
    clean.close()
    await rm(dir, { recursive: true, force: true })
  }
}
