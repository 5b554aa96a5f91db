import { ConfigError, column, defineTable, PipeError } from '@pipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  date,
  decimal,
  identifier,
  joinSql,
  type LiteralValue,
  list,
  renderSql,
  type SqlValue,
  sql,
  unsafeRaw,
} from '../src/index'
import { readLiteral, tokenizeTrino } from './trino-tokenizer'

const table = defineTable('device_logs', { columns: { at: column.timestamp() } })
const codeOf = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    if (PipeError.isInstance(error)) return `${error.code}: ${error.message}`
    throw error
  }
  throw new Error('nothing was thrown')
}

/** Text with much of what breaks naive quoting. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        "'",
        "''",
        '"',
        '\\',
        "\\'",
        '--',
        '/*',
        '*/',
        '\n',
        '\r',
        '\0',
        ';',
        '`',
        '😀',
        '\u2028',
        'a',
        ' ',
        'U&',
        '${',
        '\ufeff',
      ),
    )
    .map((parts) => parts.join('')),
)

const scalar: fc.Arbitrary<LiteralValue> = fc.oneof(
  hostile,
  fc.double(),
  fc.integer(),
  fc.constantFrom(-0, Number.MAX_SAFE_INTEGER, 2 ** 53, 5e-324, Number.MAX_VALUE, 1e21, -1e-7, 0.1),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n),
  fc.boolean(),
  fc.constant(null),
  fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
  fc.uint8Array(),
)

/** What must come back: whole numbers are integers to SQL. */
function expected(value: LiteralValue): unknown {
  if (Array.isArray(value)) return value.map(expected)
  return typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value
}

describe('literals of queries', () => {
  it('read back as the same values, wherever they stand', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(scalar, fc.array(scalar, { maxLength: 5 })), { minLength: 1, maxLength: 6 }), (values) => {
        const tokens = tokenizeTrino(renderSql(sql`SELECT ${joinSql(values.map((value) => sql`${value}`))} -- end`))
        expect(tokens[0]).toEqual({ kind: 'word', value: 'SELECT' })
        let at = 1
        for (const [i, value] of values.entries()) {
          const read = readLiteral(tokens, at)
          expect(read.value).toEqual(expected(value))
          at = read.next
          if (i < values.length - 1) expect(tokens[at++]).toEqual({ kind: 'symbol', value: ',' })
        }
        expect(at).toBe(tokens.length)
      }),
      { numRuns: 500 },
    )
  })

  it('never grow together with their neighbours', () => {
    fc.assert(
      fc.property(scalar, scalar, fc.constantFrom('-', 'U&', 'X', '', 'x ', "'a'", '"b"', '1', '(', '='), (a, b, before) => {
        // Whatever stands before, the literal's own tokens are there unchanged.
        const alone = tokenizeTrino(renderSql(sql`${a}`))
        const text = renderSql(sql`SELECT ${unsafeRaw(before)}${a}${b}`)
        const tokens = tokenizeTrino(text.replace(/^SELECT U& /, 'SELECT U '))
        const other = tokenizeTrino(renderSql(sql`${b}`))
        expect(tokens.slice(-other.length)).toEqual(other)
        expect(tokens.slice(-other.length - alone.length, -other.length)).toEqual(alone)
      }),
    )
  })

  it('have the spelling of the documentation', () => {
    const at = new Date('2026-11-24T15:31:00Z')
    const bytes = Uint8Array.of(0, 255)
    expect(renderSql(sql`${"it's \\"} ${0.5} ${at} ${bytes} ${[1, 'a']} ${[]} ${decimal('-12.50')} ${date('2026-11-24')}`)).toBe(
      "'it''s \\' 0.5E0 TIMESTAMP '2026-11-24 15:31:00.000' X'00ff' ARRAY[1, 'a'] ARRAY[] DECIMAL '-12.50' DATE '2026-11-24'",
    )
    expect(renderSql(sql`x IN ${list(['a', "b'"])}`)).toBe("x IN ('a', 'b''')")
    expect(renderSql(sql`${Number.NaN}, ${Number.POSITIVE_INFINITY}, ${Number.NEGATIVE_INFINITY}, ${-0}`)).toBe(
      'nan(), infinity(), -infinity(), -0E0',
    )
    expect(renderSql(sql`${2n ** 100n}`)).toBe(`DECIMAL '${2n ** 100n}'`)
  })

  it('split arrays at 254 arguments', () => {
    const values = Array.from({ length: 600 }, (_, i) => `v${i}`)
    expect(readLiteral(tokenizeTrino(renderSql(sql`${values}`))).value).toEqual(values)
  })

  it('stand apart from text that follows', () => {
    expect(renderSql(sql`SELECT ${'a'}'b', ${1}e5, ${identifier('a')}"b"`)).toBe(`SELECT 'a' 'b', 1 e5, "a" "b"`)
    expect(renderSql(sql`SELECT x -${1}- ${2} /${3}* ${4} '' ${5}`)).toBe("SELECT x - 1 - 2 / 3 * 4 '' 5")
  })

  it('of a negative number behind a minus stay apart from a comment', () => {
    expect(renderSql(sql`SELECT x -${-5}`)).toBe('SELECT x - -5')
  })
})

describe('what has no literal', () => {
  it.each([
    ['undefined', undefined, 'is undefined'],
    ['a plain object', { a: 1 }, 'is a plain object'],
    ['a Map', new Map(), 'is a Map'],
    ['a function', () => 1, 'is a function'],
    ['a symbol', Symbol('x'), 'is a symbol'],
    ['an invalid Date', new Date(Number.NaN), 'is an invalid Date'],
    ['a far Date', new Date('+010000-01-01T00:00:00Z'), 'of the year 10000'],
    ['half a surrogate pair', 'a\ud800b', 'half a surrogate pair'],
    ['a huge bigint', 10n ** 38n, 'more than 38 digits'],
    ['undefined inside an array', [1, [undefined]], 'holds at [1] a value that holds at [0] a value that is undefined'],
  ])('%s is refused with its position', (_name, value, text) => {
    const message = codeOf(() => sql`SELECT ${1} WHERE device_name = ${value as SqlValue}`)
    expect(message).toContain('PIPE_ATHENA_SQL')
    expect(message).toContain('value 2 of the sql tag, after " WHERE device_name = "')
    expect(message).toContain(text)
  })

  it('an object that only looks like a fragment or a table is refused', () => {
    const fake = JSON.parse(
      '{"kind":"sql","~parts":[{"kind":"text","text":"DROP"}],"@pipe/athena-query/sql-parts":[]}',
    ) as SqlValue
    expect(codeOf(() => sql`${fake}`)).toContain('plain object')
    expect(codeOf(() => sql`${JSON.parse('{"kind":"table","name":"secrets"}') as SqlValue}`)).toContain('plain object')
  })

  it('an empty list, a bad decimal and a bad date are refused', () => {
    expect(codeOf(() => list([]))).toContain('no empty list')
    expect(codeOf(() => decimal('1e5'))).toContain('PIPE_ATHENA_SQL')
    expect(codeOf(() => decimal('9'.repeat(39)))).toContain('38 digits')
    expect(codeOf(() => date('2026-02-30'))).toContain('not a day')
    expect(codeOf(() => joinSql([]))).toContain('no fragments')
    expect(codeOf(() => joinSql([sql`a`], '; DROP' as ', '))).toContain('no separator')
  })

  it('a value inside quotes or a comment is refused', () => {
    expect(codeOf(() => renderSql(sql`SELECT '${'a'}'`))).toContain('inside a quoted string')
    expect(codeOf(() => renderSql(sql`SELECT "${'a'}"`))).toContain('inside a quoted name')
    expect(codeOf(() => renderSql(sql`SELECT 1 /* ${'*/ DROP'} */`))).toContain('inside a block comment')
    expect(codeOf(() => renderSql(sql`SELECT 1 -- ${'\n'}`))).toContain('inside a line comment')
    expect(codeOf(() => renderSql(sql`SELECT '${identifier('t')}'`))).toContain('The name "t" stands inside')
    expect(codeOf(() => renderSql(sql`SELECT 'a`))).toContain('ends inside a quoted string')
    expect(renderSql(sql`SELECT 'it''s' || "a""b" || ${'x'}`)).toContain("|| 'x'")
  })
})

describe('fragments', () => {
  it('nest, and a comment in one does not swallow the next', () => {
    const inner = sql`a = ${1} -- why`
    expect(renderSql(sql`SELECT * FROM ${table} WHERE ${inner} AND b = ${'x'}`)).toBe(
      'SELECT * FROM "device_logs" WHERE a = 1 -- why\n AND b = \'x\'',
    )
  })

  it('join by fixed separators or a fragment', () => {
    expect(renderSql(joinSql([sql`a`, sql`b`], ' AND '))).toBe('a AND b')
    expect(renderSql(joinSql([sql`a`, sql`b`], sql` OR `))).toBe('a OR b')
  })

  it('take raw text only where it is asked for', () => {
    expect(renderSql(sql`SELECT ${unsafeRaw('1 + 1')}`)).toBe('SELECT 1 + 1')
  })
})

describe('names', () => {
  it('are quoted by where they stand', () => {
    expect(renderSql(sql`SELECT * FROM ${identifier('my-db', 't')}`)).toBe('SELECT * FROM "my-db"."t"')
    expect(renderSql(sql`DROP TABLE ${identifier('db', 't')}`)).toBe('DROP TABLE `db`.`t`')
    expect(renderSql(sql`SELECT ${identifier('t')}.${identifier('a"b')}`)).toBe('SELECT "t"."a""b"')
    expect(codeOf(() => renderSql(sql`DROP TABLE ${identifier('my-db', 't')}`))).toContain('PIPE_ATHENA_NAME')
    expect(codeOf(() => identifier(''))).toContain('PIPE_ATHENA_NAME')
  })

  it('of a hostile kind read back as one name', () => {
    const name = hostile.filter((text) => text.length > 0 && text.length < 255 && !/[\0-\x1f\x7f]/.test(text))
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(tokenizeTrino(renderSql(sql`SELECT ${identifier(a, b)}${identifier(a)}`))).toEqual([
          { kind: 'word', value: 'SELECT' },
          { kind: 'name', value: a },
          { kind: 'symbol', value: '.' },
          { kind: 'name', value: b },
          { kind: 'name', value: a },
        ])
      }),
    )
  })
})

describe('the dialect', () => {
  const q = '`' // a Hive quote, without a fight with the template
  it.each([
    ['SELECT ', 'trino'],
    ['(SELECT ', 'trino'],
    ['-- note\n/* more */ with x as (select ', 'trino'],
    ['CREATE TABLE "d"."t" WITH (format = ', 'trino'],
    ['create table if not exists t\nAS SELECT ', 'trino'],
    ['CREATE OR REPLACE VIEW v AS SELECT ', 'trino'],
    ['DROP VIEW ', 'trino'],
    ['INSERT INTO t VALUES ', 'trino'],
    ['UNLOAD (SELECT ', 'trino'],
    ['EXPLAIN SELECT ', 'trino'],
    ['CREATE EXTERNAL TABLE t (a string) LOCATION ', 'hive'],
    [`CREATE TABLE ${q}t${q} (a string) LOCATION `, 'hive'],
    ['ALTER TABLE t ADD PARTITION (dt = ', 'hive'],
    ['create database d comment ', 'hive'],
    ['DROP TABLE ', 'hive'],
    ['SHOW PARTITIONS ', 'hive'],
    ['SHOW TABLES IN d ', 'hive'],
    ['MSCK REPAIR TABLE ', 'hive'],
  ])('of %j is %s', (text, dialect) => {
    expect(
      renderSql(sql`${unsafeRaw(text)}${"it's"}`)
        .slice(text.length)
        .trim(),
    ).toBe(dialect === 'hive' ? "'it\\'s'" : "'it''s'")
  })

  it('of CTAS is found behind a name that is a value of the tag', () => {
    expect(renderSql(sql`CREATE TABLE ${identifier('d', 't')} WITH (a = ${"'"}) AS SELECT 1`)).toBe(
      `CREATE TABLE "d"."t" WITH (a = '''') AS SELECT 1`,
    )
    expect(renderSql(sql`CREATE TABLE ${identifier('t')} (a string) LOCATION ${"'"}`)).toBe(
      "CREATE TABLE `t` (a string) LOCATION '\\''",
    )
  })

  it('Hive reads its strings back and refuses what it cannot spell', () => {
    const unescaped = (text: string) => text.slice(1, -1).replaceAll(/\\(.)/gs, '$1')
    fc.assert(
      fc.property(
        hostile.filter((text) => !/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)),
        (text) => {
          const rendered = renderSql(sql`ALTER TABLE t SET LOCATION ${text}`).slice('ALTER TABLE t SET LOCATION '.length)
          expect(unescaped(rendered)).toBe(text)
          expect(rendered.slice(1, -1).replaceAll(/\\./gs, '')).not.toContain("'")
        },
      ),
    )
    expect(codeOf(() => renderSql(sql`DROP TABLE ${'a\0'}`))).toContain('control character')
    expect(codeOf(() => renderSql(sql`DROP TABLE ${new Date(0)}`))).toContain('is a Date, which Athena DDL cannot spell')
    expect(codeOf(() => renderSql(sql`DROP TABLE ${Number.NaN}`))).toContain('is NaN')
    expect(codeOf(() => renderSql(sql`DROP TABLE ${decimal('1')}`))).toContain('PIPE_ATHENA_SQL')
  })

  it('can be named', () => {
    expect(renderSql(sql`${"'"}`, 'hive')).toBe("'\\''")
  })
})

it('errors are configuration errors', () => {
  expect(() => list([])).toThrow(ConfigError)
})
