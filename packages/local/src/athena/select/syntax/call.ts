import { AnalysisError } from '../failure'
import { type Cursor, commaList, UnsupportedSyntax } from './cursor'
import type { Call, Expression, Frame, FrameBound, SortItem, WindowSpecification } from './tree'

interface ExpressionParser {
  expression(): Expression
}

/** ORDER BY items, without the keywords. */
export function parseSortItems(cursor: Cursor, parsers: ExpressionParser): SortItem[] {
  return commaList(cursor, () => {
    const value = parsers.expression()
    const descending = cursor.accept('DESC')
    if (!descending) cursor.accept('ASC')
    const nullsFirst = cursor.accept('NULLS', 'FIRST') ? true : cursor.accept('NULLS', 'LAST') ? false : undefined
    return { value, descending, nullsFirst }
  })
}

/** A function call with everything that may follow it: DISTINCT, ORDER BY, WITHIN GROUP, FILTER, IGNORE NULLS, OVER. */
export function parseCall(cursor: Cursor, parsers: ExpressionParser, value: () => Expression): Expression {
  const token = cursor.next()
  const at = token.at
  const name = token.text.toLowerCase()
  if (cursor.is('.')) throw cursor.unexpected("'('")
  cursor.expect('(')
  if (name === 'position' && token.kind === 'word') {
    const needle = value()
    if (cursor.accept('IN')) {
      const haystack = value()
      cursor.expect(')')
      return plainCall('strpos', [haystack, needle], at)
    }
    throw new AnalysisError('SYNTAX_ERROR', "mismatched input. Expecting: 'IN'", cursor.peek().at)
  }
  if (name === 'trim') return parseTrim(cursor, parsers, at)
  if (name === 'substring' && token.kind === 'word') {
    const first = parsers.expression()
    if (cursor.accept('FROM')) {
      const from = value()
      const length = cursor.accept('FOR') ? [value()] : []
      cursor.expect(')')
      return plainCall('substring', [first, from, ...length], at)
    }
    const rest = cursor.accept(',') ? commaList(cursor, parsers.expression) : []
    cursor.expect(')')
    return plainCall('substring', [first, ...rest], at)
  }
  const star = cursor.accept('*')
  const distinct = !star && cursor.accept('DISTINCT')
  if (!star && !distinct) cursor.accept('ALL')
  const items = star || cursor.is(')') || cursor.is('ORDER') ? [] : commaList(cursor, parsers.expression)
  if (name === 'listagg' && cursor.is('ON', 'OVERFLOW')) throw new UnsupportedSyntax('listagg ON OVERFLOW', cursor.peek().at)
  let orderBy = cursor.accept('ORDER', 'BY') ? parseSortItems(cursor, parsers) : []
  cursor.expect(')')
  if (cursor.accept('WITHIN', 'GROUP')) {
    cursor.expect('(', 'ORDER', 'BY')
    orderBy = parseSortItems(cursor, parsers)
    cursor.expect(')')
    if (name !== 'listagg') throw new AnalysisError('SYNTAX_ERROR', `WITHIN GROUP is not allowed for ${name}`, at)
  }
  let filter: Expression | undefined
  if (cursor.is('FILTER', '(', 'WHERE')) {
    cursor.expect('FILTER', '(', 'WHERE')
    filter = parsers.expression()
    cursor.expect(')')
  }
  const ignoreNulls = cursor.accept('IGNORE', 'NULLS')
  if (!ignoreNulls) cursor.accept('RESPECT', 'NULLS')
  if (cursor.is('OVER') && cursor.peek(1).key !== '(') throw new UnsupportedSyntax('a named window', cursor.peek().at)
  const over = cursor.accept('OVER') ? parseWindow(cursor, parsers) : undefined
  return { kind: 'call', name, arguments: items, star, distinct, orderBy, filter, over, ignoreNulls, at }
}

/** A call without any clause. */
export function plainCall(name: string, items: readonly Expression[], at: number): Call {
  return { kind: 'call', name, arguments: items, star: false, distinct: false, orderBy: [], ignoreNulls: false, at }
}

// trim(x), trim(x, chars), trim(BOTH ' ' FROM x), trim(' ' FROM x).
function parseTrim(cursor: Cursor, parsers: ExpressionParser, at: number): Expression {
  const side = cursor.accept('BOTH')
    ? 'trim'
    : cursor.accept('LEADING')
      ? 'ltrim'
      : cursor.accept('TRAILING')
        ? 'rtrim'
        : undefined
  const name = side ?? 'trim'
  if (side !== undefined && cursor.accept('FROM')) {
    const source = parsers.expression()
    cursor.expect(')')
    return plainCall(name, [source], at)
  }
  const first = parsers.expression()
  if (cursor.accept('FROM')) {
    const source = parsers.expression()
    cursor.expect(')')
    return plainCall(name, [source, first], at)
  }
  if (side !== undefined) throw cursor.unexpected("'FROM'")
  const rest = cursor.accept(',') ? [parsers.expression()] : []
  cursor.expect(')')
  return plainCall(name, [first, ...rest], at)
}

function parseWindow(cursor: Cursor, parsers: ExpressionParser): WindowSpecification {
  cursor.expect('(')
  const partitionBy = cursor.accept('PARTITION', 'BY') ? commaList(cursor, parsers.expression) : []
  const orderBy = cursor.accept('ORDER', 'BY') ? parseSortItems(cursor, parsers) : []
  const frame = parseFrame(cursor, parsers)
  if (!cursor.is(')') && (cursor.is('MEASURES') || cursor.isName()))
    throw new UnsupportedSyntax('this form of a window', cursor.peek().at)
  cursor.expect(')')
  return { partitionBy, orderBy, frame }
}

function parseFrame(cursor: Cursor, parsers: ExpressionParser): Frame | undefined {
  const unit = cursor.is('ROWS') ? 'rows' : cursor.is('RANGE') ? 'range' : cursor.is('GROUPS') ? 'groups' : undefined
  if (unit === undefined) return undefined
  cursor.next()
  if (!cursor.accept('BETWEEN')) return { unit, start: parseBound(cursor, parsers) }
  const start = parseBound(cursor, parsers)
  cursor.expect('AND')
  return { unit, start, end: parseBound(cursor, parsers) }
}

function parseBound(cursor: Cursor, parsers: ExpressionParser): FrameBound {
  if (cursor.accept('UNBOUNDED', 'PRECEDING')) return { kind: 'unbounded preceding' }
  if (cursor.accept('UNBOUNDED', 'FOLLOWING')) return { kind: 'unbounded following' }
  if (cursor.accept('CURRENT', 'ROW')) return { kind: 'current row' }
  const value = parsers.expression()
  if (cursor.accept('PRECEDING')) return { kind: 'preceding', value }
  cursor.expect('FOLLOWING')
  return { kind: 'following', value }
}
