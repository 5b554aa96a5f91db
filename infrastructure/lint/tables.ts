import type { Configuration, Resource } from '../hcl/configuration'
import type { Finding } from './finding'

interface NamedColumn {
  readonly name: string
  readonly type: string
}

/** Tables of the Glue catalogue against the statements that create them locally: columns, partition keys and their order. */
export function checkTables({ resources }: Configuration, ddl: readonly string[]): Finding[] {
  const tables = resources.filter(({ type }) => type === 'aws_glue_catalog_table')
  return ddl.flatMap((statement) => {
    const wanted = tableOf(statement)
    const table = tables.find(({ values }) => values['name'] === wanted.name)
    if (!table) return [{ place: resources[0]!.place(), text: `The table "${wanted.name}" of the code is not in the catalogue.` }]
    return [
      ...differences(
        table,
        'columns',
        columnsIn((table.values['storage_descriptor'] as [Record<string, unknown>])[0]['columns']),
        wanted.columns,
      ),
      ...differences(table, 'partition_keys', columnsIn(table.values['partition_keys']), wanted.partitions),
    ]
  })
}

function differences(table: Resource, attribute: string, found: string, wanted: string): Finding[] {
  if (found === wanted) return []
  return [
    { place: table.place(attribute), text: `${attribute} of "${table.values['name']}" are (${found}), in the code (${wanted}).` },
  ]
}

function columnsIn(blocks: unknown): string {
  return ((blocks ?? []) as NamedColumn[]).map(({ name, type }) => `${name} ${type}`).join(', ')
}

/** Name, columns and partition keys of a `CREATE EXTERNAL TABLE`, as `tableDdl` writes it: one column a line. */
function tableOf(statement: string): { name: string; columns: string; partitions: string } {
  const list = (text = '') => [...text.matchAll(/`([^`]+)` ([^,\n)]+)/g)].map(([, name, type]) => `${name} ${type}`).join(', ')
  const [, name = '', columns = ''] =
    /^CREATE EXTERNAL TABLE IF NOT EXISTS (?:`[^`]+`\.)?`([^`]+)` \(\n([\s\S]*?)\n\)/.exec(statement) ?? []
  return { name, columns: list(columns), partitions: list(/^PARTITIONED BY \((.*)\)$/m.exec(statement)?.[1]) }
}
