import { AthenaQueryError, maxStatementBytes, renderSql, type SqlFragment } from '@pipe/athena-query'
import { ConfigError } from '@pipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countLines, splitPaths } from '../../src/engine/count-lines'
import { deviceLogs } from '../lake'

describe('splitPaths', () => {
  it('keeps every statement below the limit and every path in its order', () => {
    const render = (paths: readonly string[]) =>
      `SELECT … WHERE "$path" IN (${paths.map((path) => `'${path.replaceAll("'", "''")}'`).join(', ')})`
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), { maxLength: 50 }),
        fc.integer({ min: 1, max: 800 }),
        (names, times) => {
          const paths = Array.from({ length: times }, (_, i) => names.map((name) => `s3://lake/raw/${name}'${i}`)).flat()
          const groups = splitPaths(render, paths)
          expect(groups.flat()).toEqual(paths)
          for (const group of groups) expect(Buffer.byteLength(render(group))).toBeLessThanOrEqual(maxStatementBytes)
          // No more statements than twice what is needed.
          expect(groups.length).toBeLessThanOrEqual(Math.ceil((2 * Buffer.byteLength(render(paths))) / maxStatementBytes))
        },
      ),
      { numRuns: 30 },
    )
  })
})

/** An Athena in which some objects break every query that reads them. */
function brokenAthena(broken: ReadonlySet<string>, reason: (path: string) => string) {
  const statements: string[] = []
  const query = (statement: SqlFragment) => {
    const text = renderSql(statement)
    statements.push(text)
    return (async function* () {
      const paths = [...text.matchAll(/s3:\/\/[^']+/g)].map(([path]) => path)
      const bad = paths.find((path) => broken.has(path))
      if (bad) throw new AthenaQueryError('PIPE_ATHENA_FAILED', reason(bad), { details: {} })
      for (const path of paths) yield { path, lines: 3n, certain: 3n }
    })()
  }
  return { athena: { query } as never, statements }
}

describe('countLines', () => {
  const paths = Array.from({ length: 40 }, (_, i) => `s3://lake/raw/${i}.gz`)
  const count = (athena: never) =>
    countLines(athena, deviceLogs, { table: 't', partition: { dt: '2026-11-24' }, paths }, false, () => {}, undefined)

  it.each([
    [
      'names the object',
      (path: string) => `HIVE_CURSOR_ERROR: Failed to read file at ${path}: Unexpected end of input stream`,
      3,
    ],
    ['names nothing', () => 'GENERIC_INTERNAL_ERROR: it broke', 21],
  ])('finds the objects at which a query fails when the failure %s', async (_, reason, most) => {
    const broken = new Set([paths[7]!, paths[23]!])
    const { athena, statements } = brokenAthena(broken, reason)
    const { counts, failed } = await count(athena)
    // After ten failures the rest is read in process; what is broken is never taken for sound.
    for (const path of broken) expect(failed.has(path)).toBe(true)
    expect(counts.size + failed.size).toBe(paths.length)
    expect(statements.length).toBeLessThanOrEqual(most)
    expect(new Set(statements).size).toBe(statements.length)
  })

  it('gives up counting when most objects are broken', async () => {
    const { athena, statements } = brokenAthena(new Set(paths), (path) => `HIVE_BAD_DATA: ${path}`)
    const { failed } = await count(athena)
    expect(failed.size).toBe(40)
    expect(statements.length).toBe(10)
  })

  it('throws every other failure', async () => {
    const { athena } = brokenAthena(new Set(paths), () => 'EXCEEDED_MEMORY_LIMIT')
    await expect(count(athena)).rejects.toThrow('EXCEEDED_MEMORY_LIMIT')
  })

  it('refuses a table with which no statement could name an object', () => {
    expect(() => splitPaths((some) => 'x'.repeat(maxStatementBytes) + some.join(''), ['s3://lake/a'])).toThrow(ConfigError)
  })
})
