import { AnalysisError } from '../failure'
import { parseSortItems } from './call'
import { type Cursor, commaList, createCursor, UnsupportedSyntax } from './cursor'
import { type Parsers, parseExpression } from './expression'
import { parseRelation } from './relation'
import { tokenize } from './token'
import type { CommonTable, Expression, GroupingElement, Identifier, Query, QueryBody, SelectItem } from './tree'

/**
 * Parses one SELECT statement (WITH, VALUES, TABLE and parentheses included) of Trino's grammar. A trailing semicolon is allowed.
 *
 * @throws {@link AnalysisError} SYNTAX_ERROR for what is not a query of Trino.
 * @throws {@link UnsupportedSyntax} for a construct that Trino has and the local Athena has not.
 */
export function parseQuery(sql: string): Query {
  const cursor = createCursor(tokenize(sql))
  const parsers: Parsers = {
    expression: () => parseExpression(cursor, parsers),
    query: () => queryOf(cursor, parsers),
  }
  const query = parsers.query()
  cursor.accept(';')
  if (cursor.peek().kind !== 'end') throw cursor.unexpected('<EOF>')
  return query
}

function queryOf(cursor: Cursor, parsers: Parsers): Query {
  const at = cursor.peek().at
  const tables = cursor.accept('WITH') ? parseWith(cursor, parsers) : []
  const body = parseUnion(cursor, parsers)
  const orderBy = cursor.accept('ORDER', 'BY') ? parseSortItems(cursor, parsers) : []
  let offset: Expression | undefined
  if (cursor.accept('OFFSET')) {
    offset = parseCount(cursor)
    if (!cursor.accept('ROW')) cursor.accept('ROWS')
  }
  let limit: Expression | undefined
  let withTies = false
  if (cursor.accept('LIMIT')) {
    limit = cursor.accept('ALL') ? undefined : parseCount(cursor)
  } else if (cursor.accept('FETCH')) {
    if (!cursor.accept('FIRST')) cursor.expect('NEXT')
    limit = cursor.is('ROW') || cursor.is('ROWS') ? { kind: 'integer', value: '1', at } : parseCount(cursor)
    if (!cursor.accept('ROW')) cursor.expect('ROWS')
    withTies = cursor.accept('WITH', 'TIES')
    if (!withTies) cursor.expect('ONLY')
  }
  return { with: tables, body, orderBy, offset, limit, withTies, at }
}

// Trino takes an integer (or a parameter) here, never an expression.
function parseCount(cursor: Cursor): Expression {
  const token = cursor.next()
  if (token.kind === 'integer') return { kind: 'integer', value: token.text, at: token.at }
  if (token.key === '?') throw new UnsupportedSyntax('an execution parameter (?) that has no value', token.at)
  throw new AnalysisError('SYNTAX_ERROR', `mismatched input '${token.text}'. Expecting: <integer>`, token.at)
}

function parseWith(cursor: Cursor, parsers: Parsers): CommonTable[] {
  if (cursor.is('RECURSIVE')) throw new UnsupportedSyntax('WITH RECURSIVE', cursor.peek().at)
  return commaList(cursor, () => {
    const name = cursor.name()
    const columns = parseColumnNames(cursor)
    cursor.expect('AS', '(')
    const query = parsers.query()
    cursor.expect(')')
    return { name, columns, query }
  })
}

function parseColumnNames(cursor: Cursor): Identifier[] | undefined {
  if (!cursor.accept('(')) return undefined
  const names = commaList(cursor, () => cursor.name())
  cursor.expect(')')
  return names
}

// INTERSECT binds tighter than UNION and EXCEPT; each is left-associative.
function parseUnion(cursor: Cursor, parsers: Parsers): QueryBody {
  let left = parseIntersect(cursor, parsers)
  while (cursor.is('UNION') || cursor.is('EXCEPT')) {
    const token = cursor.next()
    const all = parseQuantifier(cursor)
    const right = parseIntersect(cursor, parsers)
    left = { kind: 'set', operator: token.key === 'UNION' ? 'union' : 'except', all, left, right, at: token.at }
  }
  return left
}

function parseIntersect(cursor: Cursor, parsers: Parsers): QueryBody {
  let left = parseTerm(cursor, parsers)
  while (cursor.is('INTERSECT')) {
    const at = cursor.next().at
    const all = parseQuantifier(cursor)
    left = { kind: 'set', operator: 'intersect', all, left, right: parseTerm(cursor, parsers), at }
  }
  return left
}

function parseQuantifier(cursor: Cursor): boolean {
  if (cursor.accept('ALL')) return true
  cursor.accept('DISTINCT')
  return false
}

function parseTerm(cursor: Cursor, parsers: Parsers): QueryBody {
  const at = cursor.peek().at
  if (cursor.accept('(')) {
    const query = parsers.query()
    cursor.expect(')')
    return { kind: 'parenthesized', query, at }
  }
  if (cursor.accept('VALUES')) return { kind: 'values', rows: commaList(cursor, parsers.expression), at }
  if (cursor.accept('TABLE')) {
    const parts = [cursor.name()]
    while (cursor.accept('.')) parts.push(cursor.name())
    return { kind: 'table', parts, at }
  }
  return parseSelect(cursor, parsers)
}

function parseSelect(cursor: Cursor, parsers: Parsers): QueryBody {
  const at = cursor.peek().at
  if (!cursor.accept('SELECT')) throw cursor.unexpected("'SELECT', 'TABLE', 'VALUES', 'WITH', '('")
  const distinct = cursor.accept('DISTINCT')
  if (!distinct) cursor.accept('ALL')
  const items = commaList(cursor, () => parseItem(cursor, parsers))
  let from: Extract<QueryBody, { kind: 'select' }>['from']
  if (cursor.accept('FROM')) {
    const relations = commaList(cursor, () => parseRelation(cursor, parsers))
    from = relations.reduce((left, right) => ({ kind: 'join', type: 'cross', left, right, at: right.at }))
  }
  const where = cursor.accept('WHERE') ? parsers.expression() : undefined
  const groupBy = cursor.accept('GROUP', 'BY') ? parseGroupBy(cursor, parsers) : undefined
  const having = cursor.accept('HAVING') ? parsers.expression() : undefined
  if (cursor.is('WINDOW')) throw new UnsupportedSyntax('the WINDOW clause', cursor.peek().at)
  return { kind: 'select', distinct, items, from, where, groupBy, having, at }
}

function parseItem(cursor: Cursor, parsers: Parsers): SelectItem {
  const at = cursor.peek().at
  if (cursor.accept('*')) return { kind: 'all', at }
  const mark = cursor.mark()
  if (cursor.isName()) {
    const parts = [cursor.name()]
    while (cursor.is('.') && !cursor.is('.', '*') && (cursor.peek(1).kind === 'word' || cursor.peek(1).kind === 'quoted')) {
      cursor.next()
      parts.push({ text: cursor.peek().text, at: cursor.next().at })
    }
    if (cursor.accept('.', '*')) {
      if (cursor.is('AS')) throw new UnsupportedSyntax('column aliases of t.*', cursor.peek().at)
      return { kind: 'all', of: parts, at }
    }
    cursor.reset(mark)
  }
  const value = parsers.expression()
  const alias = cursor.accept('AS') || cursor.isName() ? cursor.name() : undefined
  return { kind: 'expression', value, alias, at }
}

function parseGroupBy(cursor: Cursor, parsers: Parsers): { elements: GroupingElement[]; distinct: boolean } {
  const distinct = cursor.accept('DISTINCT')
  if (!distinct) cursor.accept('ALL')
  return { elements: commaList(cursor, () => parseGroupingElement(cursor, parsers)), distinct }
}

function parseGroupingElement(cursor: Cursor, parsers: Parsers): GroupingElement {
  const kind = cursor.is('ROLLUP', '(') ? 'rollup' : cursor.is('CUBE', '(') ? 'cube' : undefined
  if (kind !== undefined) {
    cursor.next()
    cursor.next()
    const items = cursor.is(')') ? [] : commaList(cursor, () => parseGroupingSet(cursor, parsers))
    cursor.expect(')')
    return { kind, items }
  }
  if (cursor.accept('GROUPING', 'SETS')) {
    cursor.expect('(')
    const items = commaList(cursor, () => parseGroupingSet(cursor, parsers))
    cursor.expect(')')
    return { kind: 'sets', items }
  }
  return { kind: 'simple', items: parseGroupingSet(cursor, parsers) }
}

// `()`, `(a, b)` or one expression. `(a)` and `(a + b) * c` begin alike: as an expression, a row of columns is a set of them.
function parseGroupingSet(cursor: Cursor, parsers: Parsers): readonly Expression[] {
  if (cursor.accept('(', ')')) return []
  const value = parsers.expression()
  const start = value.kind === 'row' && value.at
  return value.kind === 'row' && typeof start === 'number' ? value.items : [value]
}
