import { type ObjectStore, PipeError } from '@pipe/core'

/** Bytes read from the end at first: enough for the footer of almost every file. */
const firstRead = 64 * 1024

/**
 * Rows of a Parquet file, from its footer alone: one ranged GET, two for a very long footer.
 *
 * @throws {@link PipeError} `PIPE_COMPACT_OUTPUT` when the object is no complete Parquet file.
 * @see https://github.com/apache/parquet-format (FileMetaData in parquet.thrift: field 3 is num_rows)
 */
export async function parquetRowCount(
  store: ObjectStore,
  head: { readonly key: string; readonly etag: string; readonly size: number },
  signal: AbortSignal | undefined,
): Promise<number> {
  const read = async (start: number): Promise<Buffer> => {
    const object = await store.get(head.key, { range: { start }, ifMatch: head.etag, ...(signal && { signal }) })
    if (object === undefined) throw outputError(store.uri(head.key), 'is gone')
    return Buffer.from(await object.bytes())
  }
  if (head.size < 12) throw outputError(store.uri(head.key), `has only ${head.size} bytes`)
  const start = Math.max(0, head.size - firstRead)
  let tail = await read(start)
  if (tail.subarray(-4).toString('latin1') !== 'PAR1')
    throw outputError(store.uri(head.key), 'does not end as a Parquet file does')
  const footerBytes = tail.readUInt32LE(tail.length - 8)
  if (footerBytes + 12 > head.size) throw outputError(store.uri(head.key), 'is shorter than its footer')
  if (footerBytes + 8 > tail.length) tail = await read(head.size - footerBytes - 8)
  const footer = tail.subarray(tail.length - 8 - footerBytes, tail.length - 8)
  try {
    return rowCountOfFooter(footer)
  } catch (cause) {
    throw outputError(store.uri(head.key), 'has a footer that cannot be read', cause)
  }
}

function outputError(uri: string, what: string, cause?: unknown): PipeError {
  return new PipeError('PIPE_COMPACT_OUTPUT', `${uri} ${what}: it is no Parquet file that could be committed.`, {
    retryable: true,
    hint: 'The attempt is given up; the next run writes a new file.',
    cause,
  })
}

/** Field 3 of FileMetaData, in Thrift's compact protocol. Only what stands before it is passed over. */
export function rowCountOfFooter(footer: Buffer): number {
  let at = 0
  const byte = (): number => {
    if (at >= footer.length) throw new RangeError('the footer ends too early')
    return footer[at++]!
  }
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const next = byte()
      value |= BigInt(next & 0x7f) << shift
      if (next < 0x80) return value
      if (shift > 63n) throw new RangeError('a number is too long')
    }
  }
  const zigzag = (): bigint => {
    const value = varint()
    return (value >> 1n) ^ -(value & 1n)
  }
  /** Passes over one value. Booleans of a struct stand in the field's type, those of a list take a byte. */
  const skip = (type: number, isElement: boolean): void => {
    if (type === 1 || type === 2) at += isElement ? 1 : 0
    else if (type === 3) at += 1
    else if (type >= 4 && type <= 6) varint()
    else if (type === 7) at += 8
    else if (type === 8) {
      const length = Number(varint())
      at += length
    } else if (type === 9 || type === 10) {
      const header = byte()
      const size = header >> 4 === 15 ? Number(varint()) : header >> 4
      for (let i = 0; i < size; i++) skip(header & 15, true)
    } else if (type === 11) {
      const size = Number(varint())
      const types = size > 0 ? byte() : 0
      for (let i = 0; i < size; i++) {
        skip(types >> 4, true)
        skip(types & 15, true)
      }
    } else if (type === 12) fields(() => false)
    else throw new RangeError(`type ${type} is not known`)
  }
  /** Reads a struct; `take` returns true to stop at a field before its value. */
  const fields = (take: (id: number, type: number) => boolean): void => {
    let id = 0
    for (let header = byte(); header !== 0; header = byte()) {
      id = header >> 4 === 0 ? Number(zigzag()) : id + (header >> 4)
      if (take(id, header & 15)) return
      skip(header & 15, false)
    }
  }
  let rows: number | undefined
  fields((id, type) => {
    if (id !== 3) return false
    if (type !== 6) throw new RangeError(`num_rows has type ${type}`)
    rows = Number(zigzag())
    return true
  })
  if (rows === undefined) throw new RangeError('there is no num_rows')
  return rows
}
