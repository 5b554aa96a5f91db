import { PipeError } from '@pipe/core'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { identifier, list, renderSql, type SqlFragment, sql } from '../src/index'
import { tokenizeHive } from './hive-tokenizer'
import { hostileCount, hostileText } from './hostile'
import { tokenizeTrino } from './trino-tokenizer'

// Values that were sent and read back, and values that were refused: nothing else may happen to one.
const total = { trino: 0, hive: 0, names: 0, refused: 0 }
const batch = 20
const runs = Math.max(1, Math.ceil(hostileCount / batch))

/** The statement, or `undefined` when it was refused, which is as good: nothing is sent. */
function rendered(statement: () => SqlFragment): string | undefined {
  try {
    return renderSql(statement())
  } catch (error) {
    if (!PipeError.isInstance(error) || !/^PIPE_ATHENA_(?:SQL|NAME)$/.test(error.code)) throw error
    return undefined
  }
}

afterAll(() => {
  if (process.env['PIPE_HOSTILE_VALUES'] === undefined) return
  console.log(
    `hostile values: ${total.trino} in queries, ${total.hive} in DDL, ${total.names} names read back equal, ${total.refused} refused, 0 escapes`,
  )
})

// A hundred thousand of them (PIPE_HOSTILE_VALUES) take their time.
describe('hostile values', { timeout: 900_000 }, () => {
  it('in a query are one string each, and nothing around them changes', () => {
    fc.assert(
      fc.property(fc.array(hostileText, { minLength: batch, maxLength: batch }), (values) => {
        const sound = values.filter((value) => value.isWellFormed())
        total.refused += values.length - sound.length
        for (const value of values) if (!value.isWellFormed()) expect(rendered(() => sql`SELECT ${value}`)).toBeUndefined()
        if (sound.length === 0) return
        const tokens = tokenizeTrino(renderSql(sql`SELECT a FROM t WHERE a IN ${list(sound)} AND b = ${sound[0]!} LIMIT 1`))
        const strings = tokens.filter(({ kind }) => kind === 'string').map(({ value }) => value)
        expect(strings).toEqual([...sound, sound[0]])
        const others = tokens.filter(({ kind }) => kind !== 'string').map(({ value }) => value)
        expect(others.join(' ')).toBe(`SELECT a FROM t WHERE a IN (${' ,'.repeat(sound.length - 1)} ) AND b = LIMIT 1`)
        total.trino += sound.length
      }),
      { numRuns: runs },
    )
  })

  it('in DDL are one string each, or refused', () => {
    fc.assert(
      fc.property(fc.array(hostileText, { minLength: batch, maxLength: batch }), (values) => {
        for (const value of values) {
          const text = rendered(() => sql`ALTER TABLE t SET TBLPROPERTIES ('k' = ${value})`)
          if (text === undefined) {
            expect(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(value) || !value.isWellFormed()).toBe(true)
            total.refused++
            continue
          }
          const tokens = tokenizeHive(text)
          expect(tokens.filter(({ kind }) => kind === 'string').map((token) => token.value)).toEqual(['k', value])
          const others = tokens.filter(({ kind }) => kind !== 'string').map((token) => token.value)
          expect(others.join(' ')).toBe('ALTER TABLE t SET TBLPROPERTIES ( = )')
          total.hive++
        }
      }),
      { numRuns: runs },
    )
  })

  it('as names are one name each, or refused', () => {
    fc.assert(
      fc.property(fc.array(hostileText, { minLength: batch, maxLength: batch }), (values) => {
        for (const value of values) {
          const query = rendered(() => sql`SELECT 1 AS ${identifier(value)} FROM ${identifier('db', value)}`)
          if (query === undefined) total.refused++
          else {
            const tokens = tokenizeTrino(query)
            expect(tokens.filter(({ kind }) => kind === 'name').map((token) => token.value)).toEqual([value, 'db', value])
            expect(tokens).toHaveLength(8)
            total.names++
          }
          const ddl = rendered(() => sql`DROP TABLE ${identifier(value)}`)
          if (ddl === undefined) continue
          expect(tokenizeHive(ddl).map((token) => token.value)).toEqual(['DROP', 'TABLE', value])
        }
      }),
      { numRuns: Math.ceil(runs / 4) },
    )
  })

  it('of a megabyte stay whole', () => {
    const value = "'\\\n--".repeat(209_716)
    expect(tokenizeTrino(renderSql(sql`SELECT ${value}`))[1]).toEqual({ kind: 'string', value })
    expect(tokenizeHive(renderSql(sql`ALTER TABLE t SET TBLPROPERTIES ('k' = ${value})`)).at(-2)).toEqual({
      kind: 'string',
      value,
    })
  })
})
