import { type AthenaClient, GetTableMetadataCommand, type TableMetadata } from '@aws-sdk/client-athena'
import { type Column, PipeError } from '@pipe/core'
import { repeat } from '../request'
import { columnOfHiveType } from './hive-type'

/** A column of a table of the catalogue. */
export interface DescribedColumn {
  readonly name: string
  /** As the catalogue has it: `array<string>`. */
  readonly type: string
  /** What it is in a contract, nullable; `undefined` for a type that contracts do not know. */
  readonly column: Column | undefined
  readonly comment: string | undefined
}

/** A table of the catalogue. */
export interface TableDescription {
  readonly database: string
  readonly name: string
  /** `EXTERNAL_TABLE`, `VIRTUAL_VIEW` … */
  readonly kind: string
  readonly location: string | undefined
  readonly columns: readonly DescribedColumn[]
  /** Partition keys. Queries see them as columns behind the others. */
  readonly partitions: readonly DescribedColumn[]
  readonly properties: Readonly<Record<string, string>>
}

/**
 * Reads a table from the catalogue, with its partition keys.
 *
 * @throws {@link PipeError} `PIPE_ATHENA_NOT_FOUND` when there is none.
 */
export async function describeTable(
  client: AthenaClient,
  table: { readonly database: string; readonly name: string },
  signal?: AbortSignal,
): Promise<TableDescription> {
  const command = { CatalogName: 'AwsDataCatalog', DatabaseName: table.database, TableName: table.name }
  const { TableMetadata: found } = await repeat(
    'GetTableMetadata',
    (abortSignal) => client.send(new GetTableMetadataCommand(command), abortSignal ? { abortSignal } : {}),
    { signal },
  ).catch((error: unknown) => {
    throw isNotFound(error) ? noTable(table, error) : error
  })
  if (!found) throw noTable(table, undefined)
  return {
    database: table.database,
    name: found.Name ?? table.name,
    kind: found.TableType ?? '',
    location: found.Parameters?.['location'],
    columns: columnsOf(found.Columns),
    partitions: columnsOf(found.PartitionKeys),
    properties: found.Parameters ?? {},
  }
}

/** The catalogue has no code of its own for it: MetadataException, and a text ("Entity Not Found", "Table … not found"). */
function isNotFound(error: unknown): boolean {
  if (!PipeError.isInstance(error)) return false
  return (error.cause as { name?: unknown } | undefined)?.name === 'MetadataException' && /not ?found/i.test(error.message)
}

function noTable({ database, name }: { readonly database: string; readonly name: string }, cause: unknown): PipeError {
  return new PipeError('PIPE_ATHENA_NOT_FOUND', `There is no table ${database}.${name} in the catalogue.`, { cause })
}

function columnsOf(columns: TableMetadata['Columns'] = []): DescribedColumn[] {
  return columns.map(({ Name = '', Type = '', Comment }) => ({ name: Name, type: Type, column: known(Type), comment: Comment }))
}

function known(type: string): Column | undefined {
  try {
    return columnOfHiveType(type).nullable()
  } catch (error) {
    if (PipeError.isInstance(error) && (error.code === 'PIPE_ATHENA_TYPE' || error.code === 'PIPE_CONFIG')) return undefined
    throw error
  }
}
