import type { Catalog } from '../catalog/catalog'
import type { CatalogTable } from '../catalog/catalog-entry'
import { AwsError, type Principal } from '../service'
import type { Operation, OperationContext } from './operation'
import { createPermissions } from './permissions'
import { AthenaFailure } from './query-engine'
import { invalidRequest, optionalInteger, optionalText, pageOf, type RequestBody, requiredText } from './request'

/** Databases and tables as Athena's API shows them. */
export function metadataOperations(context: OperationContext): Readonly<Record<string, Operation>> {
  const { catalog } = context
  const allowed = (principal: Principal, ask: (permissions: ReturnType<typeof createPermissions>) => void) => {
    try {
      ask(createPermissions(context.authorizer, principal))
    } catch (error) {
      if (error instanceof AthenaFailure) throw new AwsError('AccessDeniedException', error.message, 400)
      throw error
    }
  }
  const known = (body: RequestBody) => {
    const name = requiredText(body, 'CatalogName')
    if (name.toLowerCase() !== 'awsdatacatalog') throw new AwsError('MetadataException', `Catalog ${name} does not exist`)
  }
  const database = (body: RequestBody, principal: Principal) => {
    known(body)
    const name = requiredText(body, 'DatabaseName').toLowerCase()
    allowed(principal, (permissions) => permissions.glue('GetDatabase', name))
    const entry = catalog.database(name)
    if (!entry) throw new AwsError('MetadataException', `Database ${name} not found`)
    return entry
  }
  const list = <T>(body: RequestBody, name: string, entries: readonly T[], view: (entry: T) => object, member: string) => {
    const { page, next } = pageOf(
      entries,
      name,
      optionalText(body, 'NextToken'),
      optionalInteger(body, 'MaxResults', 1, 50) ?? 50,
    )
    return { [member]: page.map(view), ...(next === undefined ? {} : { NextToken: next }) }
  }
  const databaseView = (entry: NonNullable<ReturnType<Catalog['database']>>) => ({
    Name: entry.name,
    ...(entry.comment === undefined ? {} : { Description: entry.comment }),
    Parameters: entry.properties,
  })
  return {
    GetDatabase: (body, principal) => ({ Database: databaseView(database(body, principal)) }),
    ListDatabases(body, principal) {
      known(body)
      allowed(principal, (permissions) => permissions.glue('GetDatabases'))
      return list(body, 'databases', catalog.databases(), databaseView, 'DatabaseList')
    },
    GetTableMetadata(body, principal) {
      const { name } = database(body, principal)
      const tableName = requiredText(body, 'TableName').toLowerCase()
      allowed(principal, (permissions) => permissions.glue('GetTable', name, tableName))
      const table = catalog.table(name, tableName)
      if (!table) throw new AwsError('MetadataException', `Table ${name}.${tableName} not found`)
      return { TableMetadata: tableView(table) }
    },
    ListTableMetadata(body, principal) {
      const { name } = database(body, principal)
      allowed(principal, (permissions) => permissions.glue('GetTables', name))
      const expression = optionalText(body, 'Expression')
      const tables = catalog.tables(name).filter((table) => expression === undefined || matches(expression, table.name))
      return list(body, `tables ${name}`, tables, tableView, 'TableMetadataList')
    },
  }
}

function matches(expression: string, name: string): boolean {
  try {
    return new RegExp(`^(?:${expression})$`, 'i').test(name)
  } catch {
    throw invalidRequest(`Expression ${expression} is not a regular expression.`)
  }
}

function tableView(table: CatalogTable): object {
  const column = ({ name, type, comment }: CatalogTable['columns'][number]) => ({
    Name: name,
    Type: type,
    ...(comment === undefined ? {} : { Comment: comment }),
  })
  return {
    Name: table.name,
    CreateTime: table.createdAt / 1000,
    TableType: table.view ? 'VIRTUAL_VIEW' : 'EXTERNAL_TABLE',
    Columns: table.columns.map(column),
    PartitionKeys: table.partitionKeys.map(column),
    Parameters: {
      ...table.properties,
      ...(table.view ? {} : storageParameters(table)),
    },
  }
}

function storageParameters(table: CatalogTable): Readonly<Record<string, string>> {
  return {
    location: table.location,
    inputformat: table.inputFormat,
    outputformat: table.outputFormat,
    'serde.serialization.lib': table.serde,
    ...Object.fromEntries(Object.entries(table.serdeProperties).map(([name, value]) => [`serde.param.${name}`, value])),
  }
}
