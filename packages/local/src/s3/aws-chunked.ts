import { AwsError } from '../service'

/**
 * The transfer format `aws-chunked`: chunks of `<hex size>[;chunk-signature=…]\r\n<bytes>\r\n`, an empty last chunk, then trailer lines
 * `name:value\r\n` and an empty line.
 */
export interface AwsChunkedDecoder {
  /** Takes the next bytes off the wire and returns the payload in them. */
  push(bytes: Buffer): readonly Buffer[]
  /**
   * Ends the body. Returns the trailers, names in lower case.
   *
   * @throws {@link AwsError} IncompleteBody when the last chunk is missing.
   */
  end(): ReadonlyMap<string, string>
}

type State = 'size' | 'data' | 'data-end' | 'trailer' | 'done'

// A chunk line holds a size and one signature, a trailer line one checksum; anything longer is not this format.
const maxLine = 4096

/** Returns a decoder for one body. */
export function createAwsChunkedDecoder(): AwsChunkedDecoder {
  const trailers = new Map<string, string>()
  let state: State = 'size'
  let line = ''
  let remaining = 0

  function finishLine(): void {
    const text = line
    line = ''
    if (state === 'size') {
      const size = /^([0-9a-f]{1,12})\s*(?:;.*)?$/i.exec(text)
      if (!size) throw invalid(`"${text.slice(0, 40)}" is not a chunk size`)
      remaining = Number.parseInt(size[1]!, 16)
      state = remaining === 0 ? 'trailer' : 'data'
    } else if (state === 'data-end') {
      if (text !== '') throw invalid('a chunk is longer than it says')
      state = 'size'
    } else if (text === '') {
      state = 'done'
    } else {
      const colon = text.indexOf(':')
      if (colon < 1) throw invalid(`"${text.slice(0, 40)}" is not a trailer`)
      trailers.set(text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim())
    }
  }

  return {
    push(bytes) {
      const payload: Buffer[] = []
      let at = 0
      while (at < bytes.length) {
        if (state === 'data') {
          const end = Math.min(bytes.length, at + remaining)
          payload.push(bytes.subarray(at, end))
          remaining -= end - at
          at = end
          if (remaining === 0) state = 'data-end'
          continue
        }
        if (state === 'done') throw invalid('there are bytes behind the end')
        const newline = bytes.indexOf(10, at)
        const end = newline < 0 ? bytes.length : newline
        line += bytes.toString('latin1', at, end)
        at = end + 1
        if (line.length > maxLine) throw invalid('a line is too long')
        if (newline < 0) break
        line = line.endsWith('\r') ? line.slice(0, -1) : line
        finishLine()
      }
      return payload
    },
    end() {
      // Some clients leave out the last empty line.
      if (state === 'trailer' && line !== '') finishLine()
      if (state !== 'done' && state !== 'trailer') {
        throw new AwsError('IncompleteBody', 'The request body terminated unexpectedly', 400)
      }
      return trailers
    },
  }
}

function invalid(why: string): AwsError {
  return new AwsError('InvalidChunkSizeError', `The aws-chunked body cannot be read: ${why}.`, 400)
}
