import { byteWriter } from './byte-writer'
import type { LineFault, LogSource } from './lines'
import type { FileId } from './shard'

/** One line as a message of a stream. */
export interface LogMessage {
  /** Name of the device. */
  readonly key: string
  /** The line without its line end. */
  readonly value: Buffer
  /** When it happened as the record says, milliseconds. */
  readonly eventTime: number
  /** When it was sent, milliseconds. */
  readonly emitTime: number
  /** How the line is spoilt: such a message is poison for a consumer. */
  readonly malformed: LineFault | undefined
}

/** The lines of a file one by one. Parquet has none: they are NDJSON then. */
export function* messagesOf(source: LogSource, file: FileId): Generator<LogMessage> {
  const lines = source['~lines']
  const fault = lines.fileFault(file)
  if (fault === 'missing' || fault === 'empty') return
  const { write } = lines.writer(lines.format === 'parquet' ? 'ndjson' : lines.format)
  const writer = byteWriter()
  const found: (Omit<LogMessage, 'value'> & { readonly from: number; readonly to: number })[] = []
  lines.visit(file, (line) => {
    const from = writer.at
    write(writer, line)
    const { eventTime, emitTime, malformed } = line
    found.push({ key: lines.devices[line.device] as string, eventTime, emitTime, malformed, from, to: writer.at - 1 })
  })
  for (const { from, to, ...message } of found) yield { ...message, value: writer.bytes.subarray(from, to) }
}
