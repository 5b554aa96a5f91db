import { powerOfTen } from './scaled-number'

/** Bytes that grow at the end. The hot loop writes into `bytes` itself, after {@link reserve}. */
export interface ByteWriter {
  bytes: Buffer
  /** Bytes written so far. */
  at: number
}

/** An empty writer. */
export function byteWriter(size = 65_536): ByteWriter {
  return { bytes: Buffer.allocUnsafe(size), at: 0 }
}

/** Makes room for `count` more bytes. */
export function reserve(writer: ByteWriter, count: number): void {
  if (writer.at + count > writer.bytes.length) grow(writer, writer.at + count)
}

function grow(writer: ByteWriter, needed: number): void {
  const larger = Buffer.allocUnsafe(Math.max(needed, writer.bytes.length * 2))
  larger.set(writer.bytes.subarray(0, writer.at))
  writer.bytes = larger
}

/** Appends prepared bytes. */
export function writeBytes(writer: ByteWriter, part: Uint8Array): void {
  reserve(writer, part.length)
  writer.bytes.set(part, writer.at)
  writer.at += part.length
}

/** Appends few prepared bytes: below a dozen, a loop is faster than a call of set. */
export function writeShort(writer: ByteWriter, part: Uint8Array): void {
  const { length } = part
  reserve(writer, length)
  const { bytes, at } = writer
  for (let i = 0; i < length; i++) bytes[at + i] = part[i] as number
  writer.at = at + length
}

function writeDigits(writer: ByteWriter, value: number): void {
  let digits = 1
  for (let limit = 10; value >= limit; limit *= 10) digits++
  const { bytes } = writer
  let rest = value
  for (let i = writer.at + digits - 1; i >= writer.at; i--) {
    const quotient = Math.floor(rest / 10)
    bytes[i] = 48 + (rest - quotient * 10)
    rest = quotient
  }
  writer.at += digits
}

/** Appends a scaled number: `2150` with scale 2 → `21.5`, or `21.500` with `fixedDigits` 3. */
export function writeScaled(writer: ByteWriter, value: number, scale: number, fixedDigits = -1): void {
  reserve(writer, 32)
  let unsigned = value
  if (value < 0) {
    writer.bytes[writer.at++] = 45
    unsigned = -value
  }
  const power = powerOfTen(scale)
  const whole = Math.floor(unsigned / power)
  writeDigits(writer, whole)
  let fraction = unsigned - whole * power
  if (fixedDigits < 0 ? fraction === 0 : fixedDigits === 0) return
  const { bytes } = writer
  bytes[writer.at++] = 46
  for (let i = writer.at + scale - 1; i >= writer.at; i--) {
    const quotient = Math.floor(fraction / 10)
    bytes[i] = 48 + (fraction - quotient * 10)
    fraction = quotient
  }
  writer.at += scale
  if (fixedDigits < 0) while (bytes[writer.at - 1] === 48) writer.at--
  else for (let i = scale; i < fixedDigits; i++) bytes[writer.at++] = 48
}
