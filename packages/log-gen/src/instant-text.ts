import { type ByteWriter, reserve, writeBytes } from './byte-writer'

/** What stands between date and time, and behind the milliseconds: `[' ', '']`, or `['T', 'Z']`. */
export type InstantSeparators = readonly [between: string, behind: string]

/** Day and minute of an instant: `2026-11-24 15:31:`. */
function minuteText(minute: number, between: string): string {
  const iso = new Date(minute * 60_000).toISOString()
  return `${iso.slice(0, 10)}${between}${iso.slice(11, 17)}`
}

/** Writes `SS.mmm`: six bytes that are there already. */
function patchSeconds(bytes: Buffer, at: number, rest: number): void {
  const second = Math.floor(rest / 1000)
  const tens = Math.floor(second / 10)
  const millis = rest - second * 1000
  const hundreds = Math.floor(millis / 100)
  const ten = Math.floor(millis / 10)
  bytes[at] = 48 + tens
  bytes[at + 1] = 48 + second - tens * 10
  bytes[at + 2] = 46
  bytes[at + 3] = 48 + hundreds
  bytes[at + 4] = 48 + ten - hundreds * 10
  bytes[at + 5] = 48 + millis - ten * 10
}

/** Writes instants as `2026-11-24 15:31:00.000`, with text in front and behind; day and minute are printed once and copied while they last. */
export function instantWriter(
  lead: string,
  [between, end]: InstantSeparators,
  behind: string,
): (writer: ByteWriter, ms: number) => void {
  let minute = Number.NaN
  let piece: Buffer = Buffer.alloc(0)
  let seconds = 0
  return (writer, ms) => {
    const own = Math.floor(ms / 60_000)
    if (own !== minute) {
      minute = own
      const start = lead + minuteText(own, between)
      seconds = Buffer.byteLength(start)
      piece = Buffer.from(`${start}00.000${end}${behind}`)
    }
    const { at } = writer
    writeBytes(writer, piece)
    patchSeconds(writer.bytes, at + seconds, ms - own * 60_000)
  }
}

/**
 * Writes the event time with what stands in front of it and behind it, up to the first part that differs from row to row. One piece a device
 * is kept and copied whole; only seconds are printed into it, and once a minute its date.
 */
export function rowStart(
  lead: string,
  [between, end]: InstantSeparators,
  textOf: (device: number) => string,
  devices: number,
): (writer: ByteWriter, line: { readonly device: number; readonly eventTime: number }) => void {
  const pieces = new Array<Buffer | undefined>(devices)
  const minutes = new Float64Array(devices).fill(Number.NaN)
  const leadBytes = Buffer.byteLength(lead)
  // Ten bytes of date, six of hour and minute.
  const seconds = leadBytes + 16 + Buffer.byteLength(between)
  const isShared = devices === 1
  // The text of a minute is made once for all devices.
  let minute = Number.NaN
  let text: Buffer = Buffer.alloc(0)
  const refresh = (device: number, own: number): Buffer => {
    if (own !== minute) {
      minute = own
      text = Buffer.from(minuteText(own, between))
    }
    const piece = pieces[device] ?? Buffer.from(`${lead}${text}00.000${end}${textOf(device)}`)
    piece.set(text, leadBytes)
    pieces[device] = piece
    minutes[device] = own
    return piece
  }
  return (writer, line) => {
    const device = isShared ? 0 : line.device
    const own = Math.floor(line.eventTime / 60_000)
    const piece = minutes[device] === own ? (pieces[device] as Buffer) : refresh(device, own)
    const { length } = piece
    reserve(writer, length)
    const { bytes, at } = writer
    bytes.set(piece, at)
    patchSeconds(bytes, at + seconds, line.eventTime - own * 60_000)
    writer.at = at + length
  }
}
