import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { anySignal } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type RecordSink, sendFile } from './sink'

const lineEnd = Buffer.from('\n')

/**
 * A sink that writes lines to the standard output, or another stream, without compression. It waits while the stream is full. The stream
 * stays open.
 *
 * @example
 * ```ts
 * await runLog({ log, sink: toStdout(), from: new Date(), limit: 100 })
 * ```
 */
export function toStdout(options: { readonly stream?: Writable | undefined } = {}): RecordSink {
  checkOptions('toStdout', options, { optional: ['stream'] })
  const { stream = process.stdout } = options
  const failed = new AbortController()
  // Whoever reads on may go away at any time.
  const fail = (error: Error) => failed.abort(error)
  stream.on('error', fail)
  const send: RecordSink['send'] = async (messages, { signal }) => {
    failed.signal.throwIfAborted()
    signal?.throwIfAborted()
    const parts: Buffer[] = []
    for (const { value } of messages) parts.push(value, lineEnd)
    if (stream.write(Buffer.concat(parts))) return
    const stop = anySignal(signal, failed.signal) as AbortSignal
    try {
      await once(stream, 'drain', { signal: stop })
    } catch (error) {
      stop.throwIfAborted()
      throw error
    }
  }
  return {
    send,
    put: async (file, putOptions) => {
      await sendFile(file, send, putOptions)
      return { uri: 'stdout:' }
    },
    close: () => {
      stream.off('error', fail)
    },
  }
}
