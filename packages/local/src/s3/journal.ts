import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { PipeError } from '@pipe/core'

/**
 * An append-only file of JSON lines. A line is complete when its newline stands; a torn last line, left by a process that was killed
 * while writing, is cut off at the next opening. Appends are synchronous, so that check, append and change of the index are one step
 * that nothing can come between.
 */
export interface Journal {
  /** Entries appended or read since the last rewrite. */
  readonly entries: number
  append(entry: object): void
  /** Replaces the whole journal by `entries`, atomically. */
  rewrite(entries: Iterable<object>): void
  /** Flushes to the disk and closes. Idempotent. */
  close(): void
}

const blockBytes = 4 << 20

/**
 * Opens (or creates) the journal `file` and calls `onEntry` for each entry in order.
 *
 * @throws {@link PipeError} `PIPE_LOCAL_S3_INDEX` when a line that is not the last is unreadable.
 */
export function openJournal(file: string, onEntry: (entry: never) => void): Journal {
  let descriptor = openSync(file, existsSync(file) ? 'r+' : 'w+')
  let entries = 0
  let length: number
  let closed = false
  try {
    length = replay()
    ftruncateSync(descriptor, length)
  } catch (error) {
    closeSync(descriptor)
    throw error
  }

  // Returns the length of the readable part.
  function replay(): number {
    const total = fstatSync(descriptor).size
    const block = Buffer.allocUnsafe(Math.min(blockBytes, Math.max(total, 1)))
    let rest: Buffer = Buffer.alloc(0)
    let read = 0
    let complete = 0
    while (read < total) {
      const count = readSync(descriptor, block, 0, block.length, read)
      if (count === 0) break
      read += count
      const bytes = Buffer.concat([rest, block.subarray(0, count)])
      let start = 0
      for (let end = bytes.indexOf(10, start); end >= 0; end = bytes.indexOf(10, start)) {
        let entry: unknown
        try {
          entry = JSON.parse(bytes.toString('utf8', start, end))
        } catch (error) {
          // Lines behind it would be lost without a word, so only the very last line may be unreadable.
          if (complete + (end + 1 - start) < total) throw unreadable(file, entries + 1, complete, error)
          return complete
        }
        onEntry(entry as never)
        entries++
        complete += end + 1 - start
        start = end + 1
      }
      rest = bytes.subarray(start)
    }
    return complete
  }

  return {
    get entries() {
      return entries
    },
    append(entry) {
      if (closed) throw new PipeError('PIPE_LOCAL_CLOSED', `The local S3 is closed: nothing can be written to ${file}.`)
      const line = Buffer.from(`${JSON.stringify(entry)}\n`)
      try {
        writeAll(descriptor, line, length)
      } catch (error) {
        // A half line must not stay in front of later ones.
        ftruncateSync(descriptor, length)
        throw error
      }
      length += line.length
      entries++
    },
    rewrite(all) {
      const next = `${file}.next`
      const target = openSync(next, 'w+')
      let position = 0
      let count = 0
      let batch: string[] = []
      const flush = () => {
        const bytes = Buffer.from(batch.join(''))
        writeAll(target, bytes, position)
        position += bytes.length
        batch = []
      }
      try {
        for (const entry of all) {
          count++
          if (batch.push(`${JSON.stringify(entry)}\n`) >= 1000) flush()
        }
        flush()
        fsyncSync(target)
        renameSync(next, file)
      } catch (error) {
        closeSync(target)
        throw error
      }
      closeSync(descriptor)
      descriptor = target
      length = position
      entries = count
    },
    close() {
      if (closed) return
      closed = true
      fsyncSync(descriptor)
      closeSync(descriptor)
    },
  }
}

function writeAll(descriptor: number, bytes: Buffer, position: number): void {
  let written = 0
  while (written < bytes.length) written += writeSync(descriptor, bytes, written, bytes.length - written, position + written)
}

function unreadable(file: string, line: number, offset: number, cause: unknown): PipeError {
  return new PipeError(
    'PIPE_LOCAL_S3_INDEX',
    `${file} line ${line} (byte ${offset}) is not a JSON object: the index of the bucket is damaged.`,
    {
      hint: 'Restore the file from a copy, or delete the data directory to start afresh.',
      cause,
      details: { file, line, offset },
    },
  )
}
