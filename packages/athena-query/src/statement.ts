import type { IdentifierDialect } from '@pipe/core'

const name = '(?:"(?:[^"]|"")*"|`(?:[^`]|``)*`|[\\w$@:-]+)'
const createTable = new RegExp(
  `^CREATE\\s+TABLE\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?${name}(?:\\s*\\.\\s*${name})*\\s*(\\(|\\w+)?`,
  'i',
)

/**
 * The dialect that Athena reads a whole statement in: Hive for DDL, else Trino, also when in doubt (its literals are safe in both as
 * long as nothing but a quote needs an escape). CTAS and views go to Trino although they begin with CREATE.
 */
export function dialectOf(statement: string): IdentifierDialect {
  const text = withoutLeadingComments(statement)
  const created = createTable.exec(text)
  if (created) return created[1] === undefined || /^(?:AS|WITH)$/i.test(created[1]) ? 'trino' : 'hive'
  return /^(?:CREATE\s+(?:EXTERNAL|DATABASE|SCHEMA)|DROP\s+(?:TABLE|DATABASE|SCHEMA)|ALTER|SHOW|DESCRIBE|DESC|MSCK)\b/i.test(text)
    ? 'hive'
    : 'trino'
}

/** First keyword of a statement in upper case: `SELECT`, `WITH`, `CREATE` … */
export function keywordOf(statement: string): string {
  return /^[(\s]*(\w+)/.exec(withoutLeadingComments(statement))?.[1]?.toUpperCase() ?? ''
}

function withoutLeadingComments(statement: string): string {
  let text = statement.trimStart()
  for (;;) {
    const comment = /^(?:--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)/.exec(text)
    if (!comment) return text
    text = text.slice(comment[0].length).trimStart()
  }
}

/** Whether a query ends in an ORDER BY of its own, not one of a subquery or a window. */
export function hasTopLevelOrder(query: string): boolean {
  const plain = query.replaceAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g, ' ')
  let depth = 0
  for (const [token] of plain.matchAll(/[()]|\border\s+by\b/gi)) {
    if (token === '(') depth++
    else if (token === ')') depth--
    else if (depth === 0) return true
  }
  return false
}
