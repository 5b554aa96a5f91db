import { type ByteReader, byteReader } from '../byte-reader'
import { type UnreadableRow, unreadableRow } from '../quarantine'
import { type DecodeFault, defaultMaxBytes, gunzipBytes, packingOf } from './compression'
import { type Line, splitLines } from './lines'
import type { ReadOptions, RowBatch } from './row-batch'
import { withRemainder } from './row-batch'
import { mislabelled } from './sniff'

/** Options of the frame: those of a reader without its table. */
export interface TextOptions extends Omit<ReadOptions, 'table'> {
  /** Takes the bytes for what they are, whatever the name says. Default `false`. */
  readonly ignoreName?: boolean | undefined
}

/** What a text format does with lines. */
export interface LineConsumer<Row> {
  /** Turns whole lines into rows and unreadable ones. */
  take(lines: readonly Line[], batch: RowBatch<Row>): void
  /** The end of the file; `cut` is a last line that broke off in the middle, with the reason. */
  end?(batch: RowBatch<Row>, cut: { readonly line: Line; readonly reason: string } | undefined): void
}

/**
 * The frame of all text readers: tells the packing, decompresses, splits lines, and closes the books. Content never throws; only the
 * source and the signal do.
 */
export async function* readTextRows<Row>(
  source: AsyncIterable<Uint8Array>,
  options: TextOptions,
  consumer: LineConsumer<Row>,
): AsyncGenerator<RowBatch<Row>> {
  const { file, expectedRows, signal } = options
  signal?.throwIfAborted()
  const input = byteReader(source)
  try {
    const wrong = options.ignoreName ? undefined : await mislabelled(input, file)
    await input.fill(2)
    if (wrong !== undefined) {
      const unreadable = [unreadableRow({ file, reason: wrong, rows: expectedRows ?? 1 })]
      yield { rows: [], unreadable }
      return
    }
    let fault: () => DecodeFault | undefined = () => undefined
    let chunks: AsyncIterable<Uint8Array> = chunksOf(input)
    if (packingOf(input.peek()) === 'gzip') {
      const decoded = gunzipBytes(chunks, options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes })
      chunks = decoded.chunks
      fault = decoded.fault
    } else {
      const bounded = boundedBytes(chunks, options.maxBytes ?? defaultMaxBytes)
      chunks = bounded.chunks
      fault = bounded.fault
    }
    yield* withRemainder(batches(chunks, fault), { file, expectedRows, fault })
  } finally {
    await input.close()
  }

  async function* batches(
    chunks: AsyncIterable<Uint8Array>,
    fault: () => DecodeFault | undefined,
  ): AsyncGenerator<RowBatch<Row>> {
    const limits = options.maxLineBytes === undefined ? {} : { maxLineBytes: options.maxLineBytes }
    let cut: { readonly line: Line; readonly reason: string } | undefined
    for await (const lines of splitLines(chunks, limits)) {
      signal?.throwIfAborted()
      const last = lines.at(-1)
      const damage = fault()
      if (last?.end === '' && damage?.mayCutLine) {
        lines.pop()
        cut = { line: last, reason: `the line is cut: ${damage.reason}` }
      }
      const batch: RowBatch<Row> = { rows: [], unreadable: [] }
      consumer.take(lines, batch)
      yield batch
    }
    const batch: RowBatch<Row> = { rows: [], unreadable: [] }
    consumer.end?.(batch, cut)
    if (cut && !consumer.end) batch.unreadable.push(unreadableLine(file, cut.line, cut.reason))
    yield batch
  }
}

/** An unreadable row from a line. */
export function unreadableLine(file: string, line: Line, reason: string): UnreadableRow {
  return unreadableRow({ file, line: line.number, offset: line.offset, reason, raw: line.text })
}

/** What is at hand and what follows, as chunks. */
export async function* chunksOf(input: ByteReader): AsyncGenerator<Uint8Array> {
  while (await input.fill(1)) {
    const bytes = input.peek()
    input.take(bytes.length)
    yield bytes
  }
}

function boundedBytes(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): { readonly chunks: AsyncIterable<Uint8Array>; readonly fault: () => DecodeFault | undefined } {
  let fault: DecodeFault | undefined
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let total = 0
    for await (const bytes of source) {
      total += bytes.length
      if (total > maxBytes) {
        fault = { reason: `the file is larger than ${maxBytes} bytes`, mayCutLine: true }
        const allowed = bytes.length - (total - maxBytes)
        if (allowed > 0) yield bytes.subarray(0, allowed)
        return
      }
      yield bytes
    }
  }
  return { chunks: chunks(), fault: () => fault }
}
