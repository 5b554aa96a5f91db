import type { BatchHeader, BatchRecord } from './record-batch'
import { unzigzag } from './varint'
import { WireError } from './wire-error'

const noHeaders: BatchRecord['headers'] = Object.freeze([])

/**
 * Reads the records of a batch, unpacked. Every consumer pays for this once a record, so the position is a local variable, nearly all varints
 * take one comparison, and bigints are made for offsets only.
 *
 * @throws {@link WireError} for anything that is not exactly `header.recordCount` whole records.
 */
export function readRecords(source: Uint8Array, header: BatchHeader): BatchRecord[] {
  const bytes = Buffer.isBuffer(source) ? source : Buffer.from(source.buffer, source.byteOffset, source.byteLength)
  const { baseOffset, baseTimestampMs, isLogAppendTime, maxTimestampMs, recordCount: count } = header
  const what = `The record batch at offset ${baseOffset}`
  // A record takes at least seven bytes: a hostile count cannot make us allocate.
  if (count < 0 || count * 7 > bytes.length) throw new WireError(`${what} says it has ${count} records in ${bytes.length} bytes.`)
  let at = 0

  function tooShort(wanted: number): never {
    throw new WireError(`${what} ends too early: ${wanted} bytes wanted at ${at}, ${bytes.length - at} left.`)
  }

  function byte(): number {
    if (at >= bytes.length) tooShort(1)
    return bytes[at++]!
  }

  function varint(): number {
    const first = byte()
    if (first < 0x80) return (first >>> 1) ^ -(first & 1)
    let value = first & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      const next = byte()
      value |= (next & 0x7f) << shift
      if (next < 0x80) {
        if (shift === 28 && next > 0x0f) break
        return unzigzag(value >>> 0)
      }
    }
    throw new WireError(`${what} has a varint of more than 32 bits at ${at}.`)
  }

  /** Exact up to 53 bits, as timestamps are. */
  function varlong(): number {
    const first = byte()
    if (first < 0x80) return (first >>> 1) ^ -(first & 1)
    let magnitude = (first & 0x7f) >>> 1
    let factor = 64
    for (let read = 2; read <= 10; read++) {
      const next = byte()
      magnitude += (next & 0x7f) * factor
      factor *= 128
      if (next < 0x80) {
        if (read === 10 && next > 1) break
        return first & 1 ? -magnitude - 1 : magnitude
      }
    }
    throw new WireError(`${what} has a varint of more than 64 bits at ${at}.`)
  }

  function part(): Buffer | null {
    const length = varint()
    if (length < 0) return null
    if (length > bytes.length - at) tooShort(length)
    const from = at
    at += length
    return bytes.subarray(from, at)
  }

  function headerName(): string {
    const length = varint()
    if (length < 0 || length > bytes.length - at) tooShort(length)
    const from = at
    at += length
    return bytes.toString('utf8', from, at)
  }

  function headers(): BatchRecord['headers'] {
    const headerCount = varint()
    if (headerCount === 0) return noHeaders
    if (headerCount < 0 || headerCount * 2 > bytes.length - at)
      throw new WireError(`${what} has a record with ${headerCount} headers.`)
    const list: { key: string; value: Buffer | null }[] = []
    for (let i = 0; i < headerCount; i++) list.push({ key: headerName(), value: part() })
    return list
  }

  const records = new Array<BatchRecord>(count)
  for (let i = 0; i < count; i++) {
    const length = varint()
    const start = at
    // Attributes: none are defined for records.
    byte()
    const timestampDelta = varlong()
    records[i] = {
      timestampMs: isLogAppendTime ? maxTimestampMs : baseTimestampMs + timestampDelta,
      offset: baseOffset + BigInt(varint()),
      key: part(),
      value: part(),
      headers: headers(),
    }
    if (at - start !== length) throw new WireError(`${what} has a record whose length does not fit.`)
  }
  if (at < bytes.length) throw new WireError(`${what} has ${bytes.length - at} bytes too many.`)
  return records
}
