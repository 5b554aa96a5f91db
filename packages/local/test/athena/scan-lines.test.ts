import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AthenaFailure } from '../../src/athena/query-engine'
import { lineSplitter, maxLineBytes, readLines } from '../../src/athena/scan-lines'
import { decodeUtf8 } from '../../src/athena/utf8'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pipe-lines-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

/** The rule over whole input, as plainly as it can be said. */
function plainLines(bytes: Buffer): string[] {
  const content = bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? bytes.subarray(3) : bytes
  const lines = content.toString('latin1').split(/\r\n|\n|\r/)
  if (lines[lines.length - 1] === '') lines.pop()
  return lines
}

const nasty = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('\n', '\r', '\r\n', '"', ',', '\0', 'a', '{', '\ufeff', 'é', '😀') },
  { weight: 1, arbitrary: fc.string() },
)
const inputs = fc.oneof(
  fc.array(nasty, { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
)

async function linesOf(content: Buffer, gzip = false): Promise<string[]> {
  const file = join(dir, `${Math.random()}`)
  await writeFile(file, content)
  const lines: string[] = []
  const count = await readLines({ file, path: 's3://lake/raw/x', size: content.length, gzip }, (line) => {
    lines.push(line.toString('latin1'))
  })
  expect(count).toBe(lines.length)
  return lines
}

describe('lines', () => {
  test('of any bytes in chunks of any size', () => {
    fc.assert(
      fc.property(inputs, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 20 }), (input, sizes) => {
        const splitter = lineSplitter('s3://b/k')
        const lines: Buffer[] = []
        for (let at = 0, i = 0; at < input.length; i++) {
          const size = sizes[i % sizes.length] as number
          for (const line of splitter.push(input.subarray(at, at + size))) lines.push(Buffer.from(line))
          at += size
        }
        lines.push(...splitter.end())
        expect(lines.map((line) => line.toString('latin1'))).toEqual(plainLines(input))
      }),
      { numRuns: 2000 },
    )
  })

  test('from a file, plain and gzipped, also of several members', async () => {
    const content = Buffer.from('a\r\n\r\nb\rc\n\n"d"')
    expect(await linesOf(content)).toEqual(['a', '', 'b', 'c', '', '"d"'])
    expect(await linesOf(gzipSync(content), true)).toEqual(['a', '', 'b', 'c', '', '"d"'])
    const members = Buffer.concat([gzipSync('one\ntw'), gzipSync('o\n'), gzipSync(''), gzipSync('three')])
    expect(await linesOf(members, true)).toEqual(['one', 'two', 'three'])
  })

  test('skip a byte order mark at the start only', async () => {
    expect(await linesOf(Buffer.from('\ufeffa\n\ufeffb'))).toEqual(['a', Buffer.from('\ufeffb').toString('latin1')])
  })

  test('a truncated gzip, and one that is none, fail by the name of the object', async () => {
    const whole = gzipSync('line\n'.repeat(1000))
    await expect(linesOf(whole.subarray(0, whole.length - 9), true)).rejects.toThrow(
      /HIVE_CURSOR_ERROR: Failed to read file at s3:\/\/lake\/raw\/x: Unexpected end of input stream/,
    )
    const error = await linesOf(Buffer.from('{"not":"gzip"}'), true).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(AthenaFailure)
    expect((error as Error).message).toMatch(/HIVE_CURSOR_ERROR.*s3:\/\/lake\/raw\/x/)
    expect((error as Error).message).not.toContain(dir)
  })

  test('large ones are streamed, and so is a small gzip that grows', async () => {
    const noise = Buffer.from(Array.from({ length: 300_000 }, (_, i) => `${(i * 2_654_435_761) % 4_294_967_296}`).join('\n'))
    const packed = gzipSync(noise)
    expect(packed.length).toBeGreaterThan(256 * 1024)
    expect(await linesOf(packed, true)).toHaveLength(300_000)
    await expect(linesOf(packed.subarray(0, packed.length - 100_000), true)).rejects.toThrow(/HIVE_CURSOR_ERROR.*Unexpected end/)
    const swollen = gzipSync(Buffer.from('line\n'.repeat(4_000_000)))
    expect(swollen.length).toBeLessThan(256 * 1024)
    expect(await linesOf(swollen, true)).toHaveLength(4_000_000)
  })

  test('a missing local file is not blamed on gzip', async () => {
    await expect(readLines({ file: join(dir, 'none'), path: 's3://b/k', size: 1, gzip: true }, () => {})).rejects.toMatchObject({
      code: 'ENOENT',
    })
  })

  test('up to 32 MB', async () => {
    expect((await linesOf(Buffer.alloc(maxLineBytes, 'x')))[0]).toHaveLength(maxLineBytes)
    await expect(linesOf(Buffer.alloc(maxLineBytes + 1, 'x'))).rejects.toThrow(/longer than/)
  })
})

describe('UTF-8 that is none', () => {
  test.each([
    ['ff', '\ufffd'],
    ['61ff62', 'a\ufffdb'],
    ['c0af', '\ufffd\ufffd'],
    ['e282', '\ufffd'],
    ['e28261', '\ufffda'],
    ['f09f98', '\ufffd'],
    // An encoded surrogate: one replacement in Java, three in a browser.
    ['eda080', '\ufffd'],
    ['61eda08062edb08063', 'a\ufffdb\ufffdc'],
    ['efbbbf61', '\ufeffa'],
  ])('%s', (hex, text) => {
    expect(decodeUtf8(Buffer.from(hex, 'hex'))).toBe(text)
  })

  test('valid text is itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bytes = Buffer.from(text)
        expect(decodeUtf8(bytes)).toBe(bytes.toString('utf8'))
      }),
    )
  })
})
