import { AwsError } from '../service'

/** Bytes `start` to `end`, both included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * The range that a `Range` header asks for in `size` bytes. Undefined when there is none, or when it is of a form that S3 ignores (another
 * unit, several ranges).
 *
 * @throws {@link AwsError} InvalidRange 416 when it begins behind the end.
 */
export function parseRange(range: string | undefined, size: number): ByteRange | undefined {
  if (range === undefined) return undefined
  const match = /^bytes=(\d*)-(\d*)$/.exec(range.trim())
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  if (match[1] === '') {
    const suffix = Number(match[2])
    if (suffix === 0 || size === 0) throw unsatisfiable(range, size)
    return { start: Math.max(0, size - suffix), end: size - 1 }
  }
  const start = Number(match[1])
  const end = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1)
  if (match[2] !== '' && Number(match[2]) < start) return undefined
  if (start >= size) throw unsatisfiable(range, size)
  return { start, end }
}

function unsatisfiable(range: string, size: number): AwsError {
  return new AwsError('InvalidRange', 'The requested range is not satisfiable', 416, {
    RangeRequested: range,
    ActualObjectSize: String(size),
  })
}
