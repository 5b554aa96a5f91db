import type { RowBatch } from '../src/format/row-batch'
import type { UnreadableRow } from '../src/quarantine'

/** The bytes as a source, in chunks of the given size. */
export async function* bytesOf(content: string | Uint8Array, chunkBytes = 65_536): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content)
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}

/** All rows and unreadable rows of a reader. */
export async function collect<Row>(batches: AsyncIterable<RowBatch<Row>>): Promise<{ rows: Row[]; unreadable: UnreadableRow[] }> {
  const all: { rows: Row[]; unreadable: UnreadableRow[] } = { rows: [], unreadable: [] }
  for await (const batch of batches) {
    all.rows.push(...batch.rows)
    all.unreadable.push(...batch.unreadable)
  }
  return all
}

/** All bytes of a writer. */
export async function allBytes(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}
