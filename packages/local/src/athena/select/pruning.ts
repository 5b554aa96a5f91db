import type { Condition, Session } from './context'
import { resolveColumn, type Scope } from './scope'
import type { Expression } from './syntax/tree'

interface Column {
  readonly scan: number
  readonly column: string
}

/**
 * Reads from a WHERE condition what decides by partition values and `"$path"` alone, and notes it at the scans. The condition itself stays
 * in the SQL, so that a part which is not understood here costs bytes, never correctness.
 */
export function notePruning(where: Expression, scope: Scope, session: Session): void {
  for (const term of where.kind === 'and' ? where.items : [where]) {
    for (const scan of scansOf(term, scope)) {
      const condition = conditionOf(term, scope, scan, session)
      if (condition !== undefined) session.scans[scan]?.conditions.push(condition)
    }
  }
}

function columnOf(node: Expression, scope: Scope): Column | undefined {
  if (node.kind !== 'name' && !(node.kind === 'field' && node.base.kind === 'name')) return undefined
  const parts = node.kind === 'name' ? [node.name] : node.base.kind === 'name' ? [node.base.name, node.name] : []
  const found = resolveColumn(scope, parts)
  return found === undefined || found.outer ? undefined : found.column.source
}

function scansOf(node: Expression, scope: Scope): Set<number> {
  const scans = new Set<number>()
  const visit = (inner: Expression): void => {
    const column = columnOf(inner, scope)
    if (column !== undefined) scans.add(column.scan)
    else for (const child of children(inner)) visit(child)
  }
  visit(node)
  return scans
}

function children(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'and':
    case 'or':
      return node.items
    case 'not':
      return [node.value]
    case 'comparison':
      return [node.left, node.right]
    case 'between':
      return [node.value, node.low, node.high]
    case 'in':
      return [node.value, ...node.items]
    case 'is-null':
      return [node.value]
    default:
      return []
  }
}

type Constant = string | bigint

// A constant that compares as the column does: text with text, whole numbers with whole numbers.
function constantOf(node: Expression, type: string): Constant | undefined {
  if (type.startsWith('varchar')) return node.kind === 'string' ? node.value : undefined
  if (type === 'date') return dateConstant(node)
  if (!['tinyint', 'smallint', 'integer', 'bigint'].includes(type)) return undefined
  if (node.kind === 'integer') return BigInt(node.value)
  return node.kind === 'negate' && node.value.kind === 'integer' ? -BigInt(node.value.value) : undefined
}

// Dates in ISO form compare as their text does.
function dateConstant(node: Expression): string | undefined {
  const text =
    node.kind === 'typed-literal' && node.type.name === 'date'
      ? node.value
      : node.kind === 'cast' && node.type.name === 'date' && node.value.kind === 'string'
        ? node.value.value
        : undefined
  return text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : undefined
}

function valueOfText(text: string | null | undefined, type: string): Constant | undefined {
  if (text === null || text === undefined) return undefined
  if (type.startsWith('varchar')) return text
  if (type === 'date') return /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : undefined
  return /^-?\d+$/.test(text) ? BigInt(text) : undefined
}

// Text compares by its UTF-8 bytes, which is the order of code points.
function compare(left: Constant, right: Constant): number {
  if (typeof left === 'bigint' || typeof right === 'bigint') return left < right ? -1 : left > right ? 1 : 0
  return Buffer.compare(Buffer.from(left), Buffer.from(right))
}

const tests: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}
const mirrored: Readonly<Record<string, string>> = { '=': '=', '<>': '<>', '<': '>', '<=': '>=', '>': '<', '>=': '<=' }

/** The condition as far as partition values decide it; a part that they do not decide is `undefined` when it is evaluated. */
function conditionOf(node: Expression, scope: Scope, scan: number, session: Session): Condition | undefined {
  const inner = (child: Expression): Condition => conditionOf(child, scope, scan, session) ?? (() => undefined)
  const typeOf = (column: Column): string => {
    const { columns } = (session.scans[scan] as Session['scans'][number]).relation
    return column.column === '$path' ? 'varchar' : (columns.find((candidate) => candidate.name === column.column)?.type ?? '')
  }
  const test = (value: Expression, operator: string, constant: Expression): Condition | undefined => {
    const column = columnOf(value, scope)
    if (column === undefined || column.scan !== scan) return undefined
    const type = typeOf(column)
    const wanted = constantOf(constant, type)
    const decide = tests[operator]
    if (wanted === undefined || decide === undefined) return undefined
    return (values) => {
      const found = valueOfText(values[column.column], type)
      return found === undefined ? undefined : decide(compare(found, wanted))
    }
  }
  switch (node.kind) {
    case 'and': {
      const parts = node.items.map(inner)
      return (values) => all(parts, values)
    }
    case 'or': {
      const parts = node.items.map(inner)
      return (values) => any(parts, values)
    }
    case 'not': {
      const part = inner(node.value)
      return (values) => not(part(values))
    }
    case 'comparison':
      return test(node.left, node.operator, node.right) ?? test(node.right, mirrored[node.operator] as string, node.left)
    case 'between': {
      const parts = [test(node.value, '>=', node.low), test(node.value, '<=', node.high)].map((part) => part ?? (() => undefined))
      return (values) => (node.negated ? not(all(parts, values)) : all(parts, values))
    }
    case 'in':
      return conditionOfIn(node, scope, scan, typeOf)
    default:
      return undefined
  }
}

// A set, so that a list of many thousand paths is looked up at once.
function conditionOfIn(
  node: Extract<Expression, { kind: 'in' }>,
  scope: Scope,
  scan: number,
  typeOf: (column: Column) => string,
): Condition | undefined {
  const column = columnOf(node.value, scope)
  if (column === undefined || column.scan !== scan) return undefined
  const type = typeOf(column)
  const wanted = new Set<Constant>()
  for (const item of node.items) {
    const constant = constantOf(item, type)
    if (constant === undefined) return undefined
    wanted.add(constant)
  }
  return (values) => {
    const found = valueOfText(values[column.column], type)
    return found === undefined ? undefined : wanted.has(found) !== node.negated
  }
}

function all(parts: readonly Condition[], values: Parameters<Condition>[0]): boolean | undefined {
  let result: boolean | undefined = true
  for (const part of parts) {
    const decided = part(values)
    if (decided === false) return false
    if (decided === undefined) result = undefined
  }
  return result
}

function any(parts: readonly Condition[], values: Parameters<Condition>[0]): boolean | undefined {
  let result: boolean | undefined = false
  for (const part of parts) {
    const decided = part(values)
    if (decided === true) return true
    if (decided === undefined) result = undefined
  }
  return result
}

function not(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value
}
