import { ConfigError, type Table } from '@pipe/core'
import { partsOf, type SqlFragment } from './sql'

/** What is done about a statement that reads all partitions of a table: see `partitionFilter` of {@link AthenaOptions}. */
export type PartitionFilterRule = 'report' | 'require' | 'off'

/**
 * Finds table contracts with partitions that a statement reads without naming one of their partition columns behind a WHERE or ON. Such a query scans
 * the whole table.
 *
 * It looks at words, not at the grammar: a partition column that is named there without narrowing anything down passes.
 *
 * @returns one warning a table.
 * @throws {@link ConfigError} `PIPE_ATHENA_PARTITION_FILTER` with the rule `'require'`.
 */
export function lintPartitions(where: string, statement: SqlFragment, rule: PartitionFilterRule): readonly string[] {
  if (rule === 'off') return []
  const { tables, filters } = wordsOf(statement)
  const unfiltered = [...tables].filter(({ partitions: { columns } }) => !columns.some((name) => filters.has(name.toLowerCase())))
  const warnings = unfiltered.map(
    ({ name, partitions }) =>
      `${name} has partitions (${partitions.columns.join(', ')}), and the statement filters by none of them: it reads the whole table.`,
  )
  if (rule === 'require' && warnings.length > 0) {
    throw new ConfigError(`${where}: ${warnings.join(' ')}`, {
      code: 'PIPE_ATHENA_PARTITION_FILTER',
      hint: "Add eventTimeBetween(table, from, to), or create the client with partitionFilter: 'report'.",
      details: { tables: unfiltered.map(({ name }) => name) },
    })
  }
  return warnings
}

const tokens = /'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\/|"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|([A-Za-z_][\w$]*)/g

/** Tables that are read, and the names that stand in conditions. */
function wordsOf(statement: SqlFragment): { readonly tables: Set<Table>; readonly filters: Set<string> } {
  const tables = new Set<Table>()
  const filters = new Set<string>()
  let reads = false
  let filtering = false
  for (const part of partsOf(statement)) {
    if (part.kind === 'name') {
      if (part.table && reads && part.table.partitions.columns.length > 0) tables.add(part.table)
      if (filtering) for (const name of part.parts) filters.add(name.toLowerCase())
    }
    if (part.kind !== 'text') continue
    for (const [, quoted, ticked, word] of part.text.matchAll(tokens)) {
      const name = quoted ?? ticked ?? word
      if (name === undefined) continue
      const keyword = word?.toUpperCase()
      // Only what stands behind FROM or JOIN is read: not the target of an INSERT, not the table of a DDL statement.
      if (keyword === 'FROM' || keyword === 'JOIN') reads = true
      else if (keyword !== undefined && ['INTO', 'TABLE', 'VIEW', 'ALTER', 'DROP', 'DESCRIBE', 'MSCK'].includes(keyword))
        reads = false
      if (keyword === 'WHERE' || keyword === 'ON' || keyword === 'HAVING') filtering = true
      else if (keyword === 'SELECT' || keyword === 'GROUP' || keyword === 'ORDER') filtering = false
      if (filtering) filters.add(name.toLowerCase())
    }
  }
  return { tables, filters }
}
