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
  lines.visitBlocks(file, (block) => {
    let from = writer.at
    write(writer, block)
    for (let i = 0; i < block.count; i++) {
      const to = block.end[i] as number
      const eventTime = block.eventTime[i] as number
      const emitTime = block.emitTime[i] as number
      const malformed = block.malformed[i]
      found.push({ key: lines.devices[block.device[i] as number] as string, eventTime, emitTime, malformed, from, to: to - 1 })
      from = to
    }
  })
  for (const { from, to, ...message } of found) yield { ...message, value: writer.bytes.subarray(from, to) }
}
