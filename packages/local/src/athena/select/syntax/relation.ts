import { type Cursor, commaList, UnsupportedSyntax } from './cursor'
import type { Expression, Identifier, Query, Relation } from './tree'

interface RelationParsers {
  expression(): Expression
  query(): Query
}

// Words that may be a name elsewhere but, after a relation, start the next clause.
const clauseStarts = new Set(['LIMIT', 'OFFSET', 'FETCH', 'TABLESAMPLE', 'MATCH_RECOGNIZE', 'WINDOW'])

/** One item of FROM, with the joins that follow it. */
export function parseRelation(cursor: Cursor, parsers: RelationParsers): Relation {
  let left = parseSampled(cursor, parsers)
  for (;;) {
    const at = cursor.peek().at
    if (cursor.is('NATURAL')) throw new UnsupportedSyntax('NATURAL JOIN', at)
    if (cursor.accept('CROSS', 'JOIN')) {
      left = { kind: 'join', type: 'cross', left, right: parseSampled(cursor, parsers), at }
      continue
    }
    const type = parseJoinType(cursor)
    if (type === undefined) return left
    const right = parseRelation(cursor, parsers)
    if (cursor.accept('ON')) {
      left = { kind: 'join', type, left, right, on: parsers.expression(), at }
    } else {
      cursor.expect('USING', '(')
      const using = commaList(cursor, () => cursor.name())
      cursor.expect(')')
      left = { kind: 'join', type, left, right, using, at }
    }
  }
}

function parseJoinType(cursor: Cursor): 'inner' | 'left' | 'right' | 'full' | undefined {
  if (cursor.accept('JOIN') || cursor.accept('INNER', 'JOIN')) return 'inner'
  for (const [key, type] of [
    ['LEFT', 'left'],
    ['RIGHT', 'right'],
    ['FULL', 'full'],
  ] as const) {
    if (cursor.accept(key, 'JOIN') || cursor.accept(key, 'OUTER', 'JOIN')) return type
  }
  return undefined
}

function parseSampled(cursor: Cursor, parsers: RelationParsers): Relation {
  const relation = parseAliased(cursor, parsers)
  if (cursor.is('MATCH_RECOGNIZE')) throw new UnsupportedSyntax('MATCH_RECOGNIZE', cursor.peek().at)
  if (!cursor.accept('TABLESAMPLE')) return relation
  const at = cursor.peek().at
  const method = cursor.name().text.toLowerCase()
  cursor.expect('(')
  const percentage = parsers.expression()
  cursor.expect(')')
  return { kind: 'sampled', relation, method, percentage, at }
}

function parseAliased(cursor: Cursor, parsers: RelationParsers): Relation {
  const relation = parsePrimary(cursor, parsers)
  const named = cursor.accept('AS') || (cursor.isName() && !clauseStarts.has(cursor.peek().key))
  if (!named) return relation
  const alias = cursor.name()
  const columns = cursor.accept('(') ? commaList(cursor, () => cursor.name()) : undefined
  if (columns !== undefined) cursor.expect(')')
  return { kind: 'aliased', relation, alias, columns, at: relation.at }
}

function parsePrimary(cursor: Cursor, parsers: RelationParsers): Relation {
  const at = cursor.peek().at
  if (cursor.accept('UNNEST', '(')) {
    const items = commaList(cursor, parsers.expression)
    cursor.expect(')')
    return { kind: 'unnest', items, ordinality: cursor.accept('WITH', 'ORDINALITY'), at }
  }
  if (cursor.is('LATERAL', '(')) throw new UnsupportedSyntax('LATERAL', at)
  if (cursor.is('TABLE', '(') || cursor.is('JSON_TABLE', '(')) throw new UnsupportedSyntax('a table function', at)
  if (cursor.is('(')) return parseParenthesis(cursor, parsers)
  const parts: Identifier[] = [cursor.name()]
  while (cursor.accept('.')) parts.push(cursor.name())
  if (cursor.is('FOR')) throw new UnsupportedSyntax('FOR VERSION or FOR TIMESTAMP AS OF', cursor.peek().at)
  return { kind: 'table', parts, at }
}

// `(SELECT …)` or `(a JOIN b ON …)`.
function parseParenthesis(cursor: Cursor, parsers: RelationParsers): Relation {
  const at = cursor.peek().at
  let ahead = 0
  while (cursor.peek(ahead).key === '(') ahead++
  const mark = cursor.mark()
  cursor.next()
  if (['SELECT', 'WITH', 'VALUES', 'TABLE'].includes(cursor.peek(ahead - 1).key)) {
    try {
      const query = parsers.query()
      cursor.expect(')')
      return { kind: 'subquery', query, at }
    } catch (error) {
      // `((SELECT …) a JOIN b …)` is a relation in parentheses.
      if (ahead === 1) throw error
      cursor.reset(mark)
      cursor.next()
    }
  }
  const relation = parseRelation(cursor, parsers)
  cursor.expect(')')
  return relation
}
