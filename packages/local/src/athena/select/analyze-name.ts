import type { ExpressionContext } from './context'
import { AnalysisError, typeMismatch } from './failure'
import { columnNotFound, resolveColumn, starColumn } from './scope'
import type { Expression, Identifier } from './syntax/tree'
import { fieldName, typeText } from './trino-type'
import { type Typed, typed } from './value'

function dottedName(node: Expression): Identifier[] | undefined {
  if (node.kind === 'name') return [node.name]
  if (node.kind !== 'field') return undefined
  const base = dottedName(node.base)
  return base && [...base, node.name]
}

/** A name with its dots: a parameter of a lambda, a column, or a field of a row. */
export function analyzeName(
  node: Extract<Expression, { kind: 'name' | 'field' }>,
  context: ExpressionContext,
  analyze: (node: Expression) => Typed,
): Typed {
  const star = starColumn(node)
  if (star !== undefined) {
    context.free.push(star)
    return { sql: star.sql, type: star.type, throws: false }
  }
  const parts = dottedName(node)
  if (parts?.length === 1) {
    const parameter = context.lambdas.get((parts[0] as Identifier).text.toLowerCase())
    if (parameter !== undefined) return parameter
  }
  if (parts !== undefined && !context.lambdas.has((parts[0] as Identifier).text.toLowerCase())) {
    const found = resolveColumn(context.scope, parts)
    if (found !== undefined) {
      if (!found.outer) context.free.push(found.column)
      return { sql: found.column.sql, type: found.column.type, throws: false }
    }
    if (node.kind === 'name') throw columnNotFound(parts)
  }
  if (node.kind === 'name') throw columnNotFound([node.name])
  const base = fieldBase(node, parts, analyze)
  if (base.type.kind !== 'row') throw typeMismatch(`Expression is not of type ROW: ${typeText(base.type)}`, node.at)
  const wanted = node.name.text.toLowerCase()
  const index = base.type.fields.findIndex((field) => field.name?.toLowerCase() === wanted)
  const field = base.type.fields[index]
  if (field === undefined) throw columnNotFound(parts ?? [node.name])
  return typed(`struct_extract(${base.sql}, '${fieldName(field, index).replaceAll("'", "''")}')`, field.type, base)
}

function fieldBase(
  node: Extract<Expression, { kind: 'field' }>,
  parts: readonly Identifier[] | undefined,
  analyze: (node: Expression) => Typed,
): Typed {
  try {
    return analyze(node.base)
  } catch (error) {
    // `t.missing` where t is a table: the error names the whole.
    if (error instanceof AnalysisError && error.code === 'COLUMN_NOT_FOUND' && parts !== undefined) throw columnNotFound(parts)
    throw error
  }
}
