import { notSupportedLocally } from '../query-engine'
import { analyzeCall } from './analyze-call'
import { analyzeName } from './analyze-name'
import { existsSubquery, inSubquery, scalarSubquery } from './analyze-subquery'
import { cast, castNull, convert } from './cast'
import { commonType } from './coercion'
import type { ExpressionContext } from './context'
import { duckType } from './duckdb-type'
import { AnalysisError, typeMismatch } from './failure'
import { extractField } from './function/date-time'
import { subscript } from './function/element'
import { currentTime, intervalLiteral, literal, typedLiteral } from './literal'
import { arithmetic, atTimeZone, comparison, concat, connective, isDistinct, negate } from './operator'
import { quoteName } from './sql-quote'
import type { Expression } from './syntax/tree'
import { arrayOf, fieldName, resolveType, type TrinoType, types, typeText } from './trino-type'
import { nullValue, type Typed, typed } from './value'

/** Types an expression and prints it. In a grouped query, what equals a grouping expression becomes a reference to it. */
export function analyzeExpression(node: Expression, context: ExpressionContext): Typed {
  const { grouping } = context
  if (grouping?.complex === true && node.kind !== 'name' && node.kind !== 'call') {
    const whole = asKey(node, context)
    if (whole !== undefined) return whole
  }
  if (grouping?.complex === true && node.kind === 'call') {
    const whole = asKey(node, context)
    if (whole !== undefined) return whole
  }
  const before = context.free.length
  const value = analyzeNode(node, context)
  const key = grouping?.keys.get(value.sql)
  if (key === undefined) return value
  context.free.length = before
  return { sql: key, type: value.type, throws: false }
}

// The expression as it would read before grouping, when it is one of the keys.
function asKey(node: Expression, context: ExpressionContext): Typed | undefined {
  if (node.kind === 'scalar-query' || node.kind === 'exists' || node.kind === 'in-query' || node.kind === 'lambda')
    return undefined
  try {
    const value = analyzeNode(node, { ...context, grouping: undefined, windows: false, clause: 'GROUP BY', free: [] })
    const key = context.grouping?.keys.get(value.sql)
    return key === undefined ? undefined : { sql: key, type: value.type, throws: false }
  } catch (error) {
    // An aggregate or a refusal inside: then it is no key, and the real analysis reports what is wrong.
    if (error instanceof Error) return undefined
    throw error
  }
}

/** A condition: boolean, with a bare NULL made one. */
export function analyzeCondition(node: Expression, context: ExpressionContext, clause: string): Typed {
  const value = analyzeExpression(node, context)
  const converted = convert(value, types.boolean)
  if (converted === undefined)
    throw typeMismatch(`${clause} clause must evaluate to a boolean: actual type ${typeText(value.type)}`, node.at)
  return converted
}

function analyzeNode(node: Expression, context: ExpressionContext): Typed {
  const analyze = (inner: Expression): Typed => analyzeExpression(inner, context)
  switch (node.kind) {
    case 'null':
      return nullValue
    case 'boolean':
      return { sql: node.value ? 'TRUE' : 'FALSE', type: types.boolean, throws: false, literal: node.value }
    case 'string':
    case 'binary':
    case 'integer':
    case 'decimal':
    case 'double':
      return literal(node)
    case 'typed-literal':
      return typedLiteral(node)
    case 'interval':
      return intervalLiteral(node)
    case 'now':
      return currentTime(node, context.session.now)
    case 'name':
    case 'field':
      return analyzeName(node, context, analyze)
    case 'subscript':
      return subscript(analyze(node.base), analyze(node.index), node.at)
    case 'row':
      return analyzeRow(node.items.map(analyze))
    case 'array':
      return analyzeArray(node.items, analyze)
    case 'lambda':
      throw typeMismatch('A lambda may only stand as an argument of a function that takes one', node.at)
    case 'negate':
      return negateNode(node, context)
    case 'arithmetic':
      return arithmetic(node.operator, analyze(node.left), analyze(node.right), node.at)
    case 'concat':
      return concat(analyze(node.left), analyze(node.right), node.at)
    case 'comparison':
      return comparison(node.operator, analyze(node.left), analyze(node.right), node.at)
    case 'and':
    case 'or':
      return connective(node.kind, node.items.map(analyze), node.at)
    case 'not': {
      const value = convert(analyze(node.value), types.boolean)
      if (value === undefined) throw typeMismatch('Value of logical NOT expression must evaluate to a boolean', node.at)
      return typed(`(NOT ${value.sql})`, types.boolean, value)
    }
    case 'between': {
      const value = analyze(node.value)
      const within = connective(
        'and',
        [comparison('>=', value, analyze(node.low), node.at), comparison('<=', value, analyze(node.high), node.at)],
        node.at,
      )
      return node.negated ? typed(`(NOT ${within.sql})`, types.boolean, within) : within
    }
    case 'in':
      return analyzeIn(node, context)
    case 'in-query':
      return inSubquery(node, analyze(node.value), context)
    case 'like':
      return analyzeLike(node, context)
    case 'is-null': {
      const value = analyze(node.value)
      return typed(`((${value.sql}) IS ${node.negated ? 'NOT ' : ''}NULL)`, types.boolean, value)
    }
    case 'is-distinct':
      return isDistinct(analyze(node.left), analyze(node.right), node.negated, node.at)
    case 'exists':
      return existsSubquery(node, context)
    case 'scalar-query':
      return scalarSubquery(node, context)
    case 'cast':
      return analyzeCast(node, context)
    case 'case':
      return analyzeCase(node, context)
    case 'extract': {
      const value = analyze(node.value)
      const result = extractField(node.field, value, { name: 'extract', at: node.at })
      if (result === undefined)
        throw typeMismatch(`Cannot extract ${node.field.toUpperCase()} from ${typeText(value.type)}`, node.at)
      return result
    }
    case 'at-time-zone':
      return atTimeZone(analyze(node.value), analyze(node.zone), node.at)
    case 'call':
      return analyzeCall(node, context, analyzeExpression)
  }
}

// A literal below a minus may be as low as -2^63 and -2^31.
function negateNode(node: Extract<Expression, { kind: 'negate' }>, context: ExpressionContext): Typed {
  if (node.value.kind === 'integer' && node.value.value === '9223372036854775808') {
    return { sql: 'CAST(-9223372036854775808 AS BIGINT)', type: types.bigint, throws: false, literal: -9223372036854775808n }
  }
  return negate(analyzeExpression(node.value, context), node.at)
}

function analyzeRow(items: readonly Typed[]): Typed {
  const type: TrinoType = { kind: 'row', fields: items.map((item) => ({ type: item.type })) }
  const packed = items.map((item, index) => `${quoteName(fieldName({ type: item.type }, index))} := ${castNull(item)}`)
  return { sql: `struct_pack(${packed.join(', ')})`, type, throws: items.some((item) => item.throws), fields: items }
}

function analyzeArray(nodes: readonly Expression[], analyze: (node: Expression) => Typed): Typed {
  const items = nodes.map(analyze)
  const element = items
    .map((item) => item.type)
    .reduce<TrinoType | undefined>((left, right) => left && commonType(left, right), types.unknown)
  if (element === undefined) throw typeMismatch('All ARRAY elements must be the same type', nodes[0]?.at)
  const converted = items.map((item) => castNull(convert(item, element) as Typed))
  return {
    sql: `CAST([${converted.join(', ')}] AS ${duckType(arrayOf(element))})`,
    type: arrayOf(element),
    throws: items.some((item) => item.throws),
  }
}

function analyzeIn(node: Extract<Expression, { kind: 'in' }>, context: ExpressionContext): Typed {
  const value = analyzeExpression(node.value, context)
  const items = node.items.map((item) => analyzeExpression(item, context))
  const common = items
    .map((item) => item.type)
    .reduce<TrinoType | undefined>((left, right) => left && commonType(left, right), value.type)
  if (common === undefined) throw typeMismatch(`IN value and list items must be the same type: ${typeText(value.type)}`, node.at)
  const simple = ['varchar', 'tinyint', 'smallint', 'integer', 'bigint', 'boolean', 'date', 'timestamp', 'decimal'].includes(
    common.kind,
  )
  let found: Typed
  if (simple) {
    const list = items.map((item) => (convert(item, common) as Typed).sql)
    found = typed(`((${(convert(value, common) as Typed).sql}) IN (${list.join(', ')}))`, types.boolean, value, ...items)
  } else {
    found = connective(
      'or',
      items.map((item) => comparison('=', value, item, node.at)),
      node.at,
    )
  }
  return node.negated ? typed(`(NOT ${found.sql})`, types.boolean, found) : found
}

function analyzeLike(node: Extract<Expression, { kind: 'like' }>, context: ExpressionContext): Typed {
  const parts = [node.value, node.pattern, ...(node.escape ? [node.escape] : [])].map((part) => analyzeExpression(part, context))
  const [value, pattern, escaping] = parts.map((part) => convert(part, types.varchar))
  if (value === undefined || pattern === undefined || (node.escape !== undefined && escaping === undefined)) {
    throw typeMismatch(
      `Left side of LIKE expression must evaluate to a varchar: actual type ${typeText((parts[0] as Typed).type)}`,
      node.at,
    )
  }
  if (escaping !== undefined) {
    const character = parts[2]?.literal
    if (typeof character !== 'string') throw notSupportedLocally('LIKE with an escaping that is not a literal')
    if (Array.from(character).length !== 1)
      throw new AnalysisError('INVALID_FUNCTION_ARGUMENT', 'Escape string must be a single character', node.at)
    const text = parts[1]?.literal
    if (typeof text !== 'string') throw notSupportedLocally('LIKE … ESCAPE with a pattern that is not a literal')
    checkEscapes(text, character, node.at)
  }
  const negation = node.negated ? 'NOT ' : ''
  // Without ESCAPE a backslash is an ordinary character in both engines.
  const ending = escaping === undefined ? '' : ` ESCAPE ${escaping.sql.replace(/^CAST\((.*) AS VARCHAR\)$/s, '$1')}`
  return typed(`((${value.sql}) ${negation}LIKE (${pattern.sql})${ending})`, types.boolean, value, pattern)
}

function checkEscapes(pattern: string, escaping: string, at: number): void {
  const characters = Array.from(pattern)
  for (let index = 0; index < characters.length; index++) {
    if (characters[index] !== escaping) continue
    const next = characters[++index]
    if (next !== '%' && next !== '_' && next !== escaping) {
      throw new AnalysisError(
        'INVALID_FUNCTION_ARGUMENT',
        "Escape character must be followed by '%', '_' or the escaping character itself",
        at,
      )
    }
  }
}

function analyzeCast(node: Extract<Expression, { kind: 'cast' }>, context: ExpressionContext): Typed {
  const value = analyzeExpression(node.value, context)
  const target = resolveType(node.type)
  const result = cast(value, target, node.at)
  if (!node.safe) return result
  if (!result.throws) return result
  // TRY_CAST forgives the cast, not its operand: an operand that may fail stays outside of TRY by being evaluated first.
  if (result.lenient !== undefined) {
    return { sql: result.lenient, type: result.type, throws: value.throws, quiet: value.throws ? result.quiet : undefined }
  }
  if (!value.throws) return { sql: `TRY(${result.sql})`, type: result.type, throws: false }
  const name = `tc_${context.session.next()}`
  const inner = cast({ sql: name, type: value.type, throws: false }, target, node.at)
  return {
    sql: `list_extract(list_transform([${castNull(value)}], lambda ${name}: TRY(${inner.sql})), 1)`,
    type: result.type,
    throws: true,
  }
}

function analyzeCase(node: Extract<Expression, { kind: 'case' }>, context: ExpressionContext): Typed {
  const operand = node.operand && analyzeExpression(node.operand, context)
  const conditions = node.branches.map((branch) =>
    operand === undefined
      ? analyzeCondition(branch.when, context, 'CASE WHEN')
      : comparison('=', operand, analyzeExpression(branch.when, context), branch.when.at),
  )
  const results = node.branches.map((branch) => analyzeExpression(branch.result, context))
  const otherwise = node.otherwise === undefined ? nullValue : analyzeExpression(node.otherwise, context)
  return caseOf(conditions, results, otherwise, node.at)
}

/** CASE over typed parts; the results are brought to one type. */
export function caseOf(conditions: readonly Typed[], results: readonly Typed[], otherwise: Typed, at: number): Typed {
  const type = [...results, otherwise]
    .map((item) => item.type)
    .reduce<TrinoType | undefined>((left, right) => left && commonType(left, right), types.unknown)
  if (type === undefined) throw typeMismatch('All CASE results must be the same type', at)
  const converted = results.map((item) => convert(item, type) as Typed)
  const last = convert(otherwise, type) as Typed
  const branches = conditions.map((condition, index) => `WHEN ${condition.sql} THEN ${castNull(converted[index] as Typed)}`)
  return {
    sql: `(CASE ${branches.join(' ')} ELSE ${castNull(last)} END)`,
    type,
    throws: [...conditions, ...results, otherwise].some((item) => item.throws),
  }
}
