import type { CatalogTable } from '../catalog/catalog-entry'
import { qualified } from './catalog-lookup'
import { type DdlResult, nothing } from './ddl-result'
import { hiveTypeOfTrino, hiveTypeText } from './hive-type'
import { AthenaFailure, notSupportedLocally, type OutputColumn, type TableResolver } from './query-engine'
import type { StatementOf } from './statement'
import type { StatementContext } from './statement-context'

/**
 * `CREATE [OR REPLACE] VIEW`: the query is checked, not run. A view is replaced in one step: a query reads the one or the other.
 *
 * @throws {@link AthenaFailure} when the query is wrong, or a table or another view has the name.
 */
export async function createView(
  statement: StatementOf<'create-view'>,
  context: StatementContext,
  resolver: TableResolver,
): Promise<DdlResult> {
  const { database, name } = qualified(statement.view, context)
  const { catalog, permissions } = context
  permissions.glue('GetDatabase', database)
  if (!catalog.database(database))
    throw new AthenaFailure(`SCHEMA_NOT_FOUND: line 1:1: Schema '${database}' does not exist`, { type: 1300 })
  permissions.glue('GetTable', database, name)
  permissions.glue(statement.orReplace ? 'UpdateTable' : 'CreateTable', database, name)
  const engine = await context.engine()
  const columns = await engine.analyze(statement.select, { database: context.database, resolver })
  const view: CatalogTable = {
    database,
    name,
    columns: viewColumns(columns),
    partitionKeys: [],
    location: '',
    serde: '',
    serdeProperties: {},
    inputFormat: '',
    outputFormat: '',
    properties: { comment: 'Presto View', presto_view: 'true' },
    view: { sql: statement.select, database: context.database },
    createdAt: context.now(),
  }
  const before = catalog.table(database, name)
  if (before && !(before.view && statement.orReplace)) {
    const kind = before.view ? 'View' : 'Table'
    throw new AthenaFailure(`TABLE_ALREADY_EXISTS: line 1:1: ${kind} already exists: 'awsdatacatalog.${database}.${name}'`, {
      type: 1302,
    })
  }
  if (before) catalog.alterTable(view)
  else catalog.createTable(view)
  return nothing
}

function viewColumns(columns: readonly OutputColumn[]): CatalogTable['columns'] {
  const seen = new Set<string>()
  return columns.map(({ name, fullType }, i) => {
    if (name === '' || name === `_col${i}`) {
      throw new AthenaFailure(`MISSING_COLUMN_NAME: line 1:1: Column name not specified at position ${i + 1}`, { type: 1006 })
    }
    const column = name.toLowerCase()
    if (seen.has(column)) {
      throw new AthenaFailure(`DUPLICATE_COLUMN_NAME: line 1:1: Column name '${column}' specified more than once`, { type: 1006 })
    }
    seen.add(column)
    if (fullType === 'unknown') throw notSupportedLocally(`a view whose column ${column} is NULL alone, of no type`)
    return { name: column, type: hiveTypeText(hiveTypeOfTrino(fullType)) }
  })
}

/** `DROP VIEW` */
export function dropView({ view, ifExists }: StatementOf<'drop-view'>, context: StatementContext): DdlResult {
  const { database, name } = qualified(view, context)
  context.permissions.glue('GetTable', database, name)
  const found = context.catalog.table(database, name)
  if (!found) {
    if (ifExists) return nothing
    throw new AthenaFailure(`TABLE_NOT_FOUND: line 1:1: View 'awsdatacatalog.${database}.${name}' does not exist`, { type: 1301 })
  }
  if (!found.view) {
    throw new AthenaFailure(
      `TABLE_NOT_FOUND: line 1:1: View 'awsdatacatalog.${database}.${name}' does not exist, but a table with that name exists.`,
      {
        type: 1301,
      },
    )
  }
  context.permissions.glue('DeleteTable', database, name)
  context.catalog.dropTable(database, name)
  return nothing
}
