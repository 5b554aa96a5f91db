import { parseCall } from './call'
import { type Cursor, commaList, UnsupportedSyntax } from './cursor'
import type { Expression, Query } from './tree'
import { parseTypeName } from './type-name'

/** Parsers that call one another: expressions hold queries and queries hold expressions. */
export interface Parsers {
  expression(): Expression
  query(): Query
}

/** Parses an expression by Trino's grammar: OR < AND < NOT < predicate < `||` < + - < * / % < unary minus < AT TIME ZONE. */
export function parseExpression(cursor: Cursor, parsers: Parsers): Expression {
  const first = parseAnd(cursor, parsers)
  if (!cursor.is('OR')) return first
  const items = [first]
  while (cursor.accept('OR')) items.push(parseAnd(cursor, parsers))
  return { kind: 'or', items, at: first.at }
}

function parseAnd(cursor: Cursor, parsers: Parsers): Expression {
  const first = parseNot(cursor, parsers)
  if (!cursor.is('AND')) return first
  const items = [first]
  while (cursor.accept('AND')) items.push(parseNot(cursor, parsers))
  return { kind: 'and', items, at: first.at }
}

function parseNot(cursor: Cursor, parsers: Parsers): Expression {
  const at = cursor.peek().at
  if (cursor.accept('NOT')) return { kind: 'not', value: parseNot(cursor, parsers), at }
  return parsePredicate(cursor, parsers)
}

const comparisons: Readonly<Record<string, '=' | '<>' | '<' | '<=' | '>' | '>='>> = {
  '=': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
}

function parsePredicate(cursor: Cursor, parsers: Parsers): Expression {
  const value = parseValue(cursor, parsers)
  const token = cursor.peek()
  const comparison = comparisons[token.key]
  if (comparison !== undefined) {
    cursor.next()
    if (cursor.is('ALL', '(') || cursor.is('SOME', '(') || cursor.is('ANY', '(')) {
      throw new UnsupportedSyntax(`comparison with ${cursor.peek().key} (subquery)`, token.at)
    }
    return { kind: 'comparison', operator: comparison, left: value, right: parseValue(cursor, parsers), at: token.at }
  }
  if (cursor.accept('IS')) {
    const negated = cursor.accept('NOT')
    if (cursor.accept('NULL')) return { kind: 'is-null', value, negated, at: token.at }
    cursor.expect('DISTINCT', 'FROM')
    return { kind: 'is-distinct', left: value, right: parseValue(cursor, parsers), negated, at: token.at }
  }
  const negated = cursor.is('NOT') && ['BETWEEN', 'IN', 'LIKE'].includes(cursor.peek(1).key) ? cursor.accept('NOT') : false
  if (cursor.accept('BETWEEN')) {
    const low = parseValue(cursor, parsers)
    cursor.expect('AND')
    return { kind: 'between', value, low, high: parseValue(cursor, parsers), negated, at: token.at }
  }
  if (cursor.accept('IN')) {
    cursor.expect('(')
    if (startsQuery(cursor)) {
      const query = parsers.query()
      cursor.expect(')')
      return { kind: 'in-query', value, query, negated, at: token.at }
    }
    const items = commaList(cursor, parsers.expression)
    cursor.expect(')')
    return { kind: 'in', value, items, negated, at: token.at }
  }
  if (cursor.accept('LIKE')) {
    const pattern = parseValue(cursor, parsers)
    const escaping = cursor.accept('ESCAPE') ? parseValue(cursor, parsers) : undefined
    return { kind: 'like', value, pattern, escape: escaping, negated, at: token.at }
  }
  return value
}

// A query in parentheses, seen from inside them: SELECT, WITH, VALUES, TABLE, or further parentheses before one of these.
function startsQuery(cursor: Cursor): boolean {
  let ahead = 0
  while (cursor.peek(ahead).key === '(') ahead++
  return ['SELECT', 'WITH', 'VALUES', 'TABLE'].includes(cursor.peek(ahead).key)
}

function parseValue(cursor: Cursor, parsers: Parsers): Expression {
  let left = parseSum(cursor, parsers)
  while (cursor.is('||')) {
    const at = cursor.next().at
    left = { kind: 'concat', left, right: parseSum(cursor, parsers), at }
  }
  return left
}

function parseSum(cursor: Cursor, parsers: Parsers): Expression {
  let left = parseProduct(cursor, parsers)
  while (cursor.is('+') || cursor.is('-')) {
    const token = cursor.next()
    left = { kind: 'arithmetic', operator: token.key as '+', left, right: parseProduct(cursor, parsers), at: token.at }
  }
  return left
}

function parseProduct(cursor: Cursor, parsers: Parsers): Expression {
  let left = parseUnary(cursor, parsers)
  while (cursor.is('*') || cursor.is('/') || cursor.is('%')) {
    const token = cursor.next()
    left = { kind: 'arithmetic', operator: token.key as '*', left, right: parseUnary(cursor, parsers), at: token.at }
  }
  return left
}

function parseUnary(cursor: Cursor, parsers: Parsers): Expression {
  const token = cursor.peek()
  if (cursor.is('-') && cursor.peek(1).kind === 'integer') {
    // The sign belongs to the literal: -2147483648 is an integer, 2147483648 is not.
    cursor.next()
    return { kind: 'integer', value: `-${cursor.next().text.replaceAll('_', '')}`, at: token.at }
  }
  if (cursor.accept('-')) return { kind: 'negate', value: parseUnary(cursor, parsers), at: token.at }
  if (cursor.accept('+')) return parseUnary(cursor, parsers)
  let value = parsePostfix(cursor, parsers)
  while (cursor.is('AT')) {
    const at = cursor.expect('AT', 'TIME', 'ZONE').at
    const interval = cursor.is('INTERVAL')
    value = { kind: 'at-time-zone', value, zone: interval ? parseInterval(cursor) : parsePostfix(cursor, parsers), at }
  }
  return value
}

function parsePostfix(cursor: Cursor, parsers: Parsers): Expression {
  let base = parsePrimary(cursor, parsers)
  for (;;) {
    const token = cursor.peek()
    if (cursor.accept('[')) {
      const index = parseValue(cursor, parsers)
      cursor.expect(']')
      base = { kind: 'subscript', base, index, at: token.at }
    } else if (cursor.accept('.')) {
      base = { kind: 'field', base, name: cursor.name(), at: token.at }
    } else {
      return base
    }
  }
}

function parseInterval(cursor: Cursor): Expression {
  const at = cursor.expect('INTERVAL').at
  const negative = cursor.accept('-')
  if (!negative) cursor.accept('+')
  const token = cursor.next()
  if (token.kind !== 'string') throw cursor.unexpected('<string>')
  const unit = cursor.name().text.toLowerCase()
  const to = cursor.accept('TO') ? cursor.name().text.toLowerCase() : undefined
  return { kind: 'interval', value: token.text, negative, unit, to, at }
}

const literalTypes = new Set([
  'DATE',
  'TIMESTAMP',
  'TIME',
  'DECIMAL',
  'BIGINT',
  'INTEGER',
  'INT',
  'SMALLINT',
  'TINYINT',
  'DOUBLE',
  'REAL',
  'VARCHAR',
  'CHAR',
  'BOOLEAN',
  'JSON',
])
const clockNames = new Set(['CURRENT_DATE', 'CURRENT_TIMESTAMP', 'LOCALTIMESTAMP', 'CURRENT_TIME', 'LOCALTIME'])
const refusedKeywords = new Set([
  'CURRENT_USER',
  'CURRENT_CATALOG',
  'CURRENT_SCHEMA',
  'CURRENT_PATH',
  'CURRENT_ROLE',
  'NORMALIZE',
  'JSON_ARRAY',
  'JSON_EXISTS',
  'JSON_OBJECT',
  'JSON_QUERY',
  'JSON_VALUE',
])

function parsePrimary(cursor: Cursor, parsers: Parsers): Expression {
  const token = cursor.peek()
  const { at, key } = token
  switch (token.kind) {
    case 'string':
    case 'binary':
      cursor.next()
      return { kind: token.kind, value: token.text, at }
    case 'integer':
    case 'decimal':
    case 'double':
      cursor.next()
      return { kind: token.kind, value: token.text.replaceAll('_', ''), at }
    case 'operator':
      if (key === '(') return parseParenthesis(cursor, parsers)
      if (key === '?') throw new UnsupportedSyntax('an execution parameter (?) that has no value', at)
      throw cursor.unexpected('<expression>')
    case 'end':
      throw cursor.unexpected('<expression>')
    default:
  }
  if (cursor.accept('NULL')) return { kind: 'null', at }
  if (cursor.accept('TRUE')) return { kind: 'boolean', value: true, at }
  if (cursor.accept('FALSE')) return { kind: 'boolean', value: false, at }
  if (cursor.is('CASE')) return parseCase(cursor, parsers)
  if (cursor.is('CAST', '(') || cursor.is('TRY_CAST', '(')) return parseCast(cursor, parsers)
  if (cursor.accept('EXISTS')) {
    cursor.expect('(')
    const query = parsers.query()
    cursor.expect(')')
    return { kind: 'exists', query, at }
  }
  if (cursor.is('EXTRACT', '(')) {
    cursor.expect('EXTRACT', '(')
    const field = cursor.name().text.toLowerCase()
    cursor.expect('FROM')
    const value = parseValue(cursor, parsers)
    cursor.expect(')')
    return { kind: 'extract', field, value, at }
  }
  if (cursor.is('ARRAY', '[')) {
    cursor.expect('ARRAY', '[')
    const items = cursor.is(']') ? [] : commaList(cursor, parsers.expression)
    cursor.expect(']')
    return { kind: 'array', items, at }
  }
  if (cursor.is('ROW', '(')) {
    cursor.expect('ROW', '(')
    const items = commaList(cursor, parsers.expression)
    cursor.expect(')')
    return { kind: 'row', items, at }
  }
  if (clockNames.has(key)) {
    cursor.next()
    const precision = key !== 'CURRENT_DATE' && cursor.accept('(') ? Number(cursor.next().text) : undefined
    if (precision !== undefined) cursor.expect(')')
    return { kind: 'now', name: key.toLowerCase(), precision, at }
  }
  if (refusedKeywords.has(key)) throw new UnsupportedSyntax(key, at)
  if (cursor.is('INTERVAL') && ['string', 'operator'].includes(cursor.peek(1).kind) && cursor.peek(1).key !== '.')
    return parseInterval(cursor)
  if (token.kind === 'word' && literalTypes.has(key)) {
    const literal = parseTypedLiteral(cursor)
    if (literal !== undefined) return literal
  }
  if (token.kind === 'word' && cursor.peek(1).key === '->' && cursor.isName()) {
    const parameter = cursor.name().text.toLowerCase()
    cursor.expect('->')
    return { kind: 'lambda', parameters: [parameter], body: parsers.expression(), at }
  }
  if (cursor.peek(1).key === '(' || (token.kind === 'word' && ['TRIM', 'LISTAGG', 'GROUPING'].includes(key))) {
    return parseCall(cursor, parsers, () => parseValue(cursor, parsers))
  }
  // A type name before a string that is none of those above, as uuid or ipaddress.
  if (token.kind === 'word' && cursor.peek(1).kind === 'string')
    throw new UnsupportedSyntax(`a literal of the type ${token.text}`, at)
  const name = cursor.name()
  return { kind: 'name', name, at }
}

// `timestamp '…'`, `decimal '…'`, `double precision '…'`: a type name directly before a string.
function parseTypedLiteral(cursor: Cursor): Expression | undefined {
  const at = cursor.peek().at
  const direct = cursor.peek(1).kind === 'string'
  const precision = cursor.is('DOUBLE', 'PRECISION') && cursor.peek(2).kind === 'string'
  if (!direct && !precision) return undefined
  const name = cursor.next().text.toLowerCase()
  if (precision) cursor.next()
  return { kind: 'typed-literal', type: { name, arguments: [], at }, value: cursor.next().text, at }
}

function parseParenthesis(cursor: Cursor, parsers: Parsers): Expression {
  const at = cursor.peek().at
  // (a, b) -> …
  const mark = cursor.mark()
  cursor.next()
  const parameters: string[] = []
  if (cursor.isName() || cursor.is(')')) {
    while (cursor.isName()) {
      parameters.push(cursor.name().text.toLowerCase())
      if (!cursor.accept(',')) break
    }
    if (cursor.accept(')', '->')) return { kind: 'lambda', parameters, body: parsers.expression(), at }
  }
  cursor.reset(mark)
  cursor.next()
  if (startsQuery(cursor)) {
    const inner = cursor.mark()
    // `((SELECT 1) + 1)` begins like a query too: only the token after it tells.
    const query = cursor.is('(') ? undefined : parsers.query()
    if (query !== undefined) {
      cursor.expect(')')
      return { kind: 'scalar-query', query, at }
    }
    cursor.reset(inner)
  }
  const items = commaList(cursor, parsers.expression)
  cursor.expect(')')
  return items.length === 1 ? (items[0] as Expression) : { kind: 'row', items, at }
}

function parseCase(cursor: Cursor, parsers: Parsers): Expression {
  const at = cursor.expect('CASE').at
  const operand = cursor.is('WHEN') ? undefined : parsers.expression()
  const branches: { when: Expression; result: Expression }[] = []
  while (cursor.accept('WHEN')) {
    const when = parsers.expression()
    cursor.expect('THEN')
    branches.push({ when, result: parsers.expression() })
  }
  if (branches.length === 0) throw cursor.unexpected("'WHEN'")
  const otherwise = cursor.accept('ELSE') ? parsers.expression() : undefined
  cursor.expect('END')
  return { kind: 'case', operand, branches, otherwise, at }
}

function parseCast(cursor: Cursor, parsers: Parsers): Expression {
  const token = cursor.next()
  cursor.expect('(')
  const value = parsers.expression()
  cursor.expect('AS')
  const type = parseTypeName(cursor)
  cursor.expect(')')
  return { kind: 'cast', value, type, safe: token.key === 'TRY_CAST', at: token.at }
}
