import type { CatalogColumn, CatalogTable } from '../catalog/catalog-entry'
import { notSupportedLocally } from './query-engine'
import { serdes } from './table-format'

/**
 * The statement of SHOW CREATE TABLE, as Hive prints it: blanks at the ends of lines included.
 *
 * @see Hive's DDLTask, `showCreateTable`; Athena User Guide, "SHOW CREATE TABLE"
 */
export function createTableText(table: CatalogTable): string {
  if (table.view) throw notSupportedLocally('SHOW CREATE TABLE of a view')
  if (table.serde === serdes.regex || table.serde === serdes.openCsv) {
    throw notSupportedLocally(`SHOW CREATE TABLE of a table with the SerDe ${table.serde}`)
  }
  // Hive asks these SerDes for the schema, and they know no comments.
  const ownsSchema = table.serde === serdes.openxJson || table.serde === serdes.hiveJson
  const columns = table.columns.map((column) => (ownsSchema ? { ...column, comment: 'from deserializer' } : column))
  return [
    `CREATE EXTERNAL TABLE \`${table.database}.${table.name}\`(`,
    `${columnLines(columns)})`,
    ...(table.comment === undefined ? [] : [`COMMENT '${escaped(table.comment)}'`]),
    ...(table.partitionKeys.length === 0 ? [] : ['PARTITIONED BY ( ', `${columnLines(table.partitionKeys)})`]),
    'ROW FORMAT SERDE ',
    `  '${table.serde}' `,
    ...serdeLines(table.serdeProperties),
    'STORED AS INPUTFORMAT ',
    `  '${table.inputFormat}' `,
    'OUTPUTFORMAT ',
    `  '${table.outputFormat}'`,
    'LOCATION',
    `  '${table.location}'`,
    'TBLPROPERTIES (',
    `${propertyLines(tableProperties(table))})`,
  ].join('\n')
}

function columnLines(columns: readonly CatalogColumn[]): string {
  const lines = columns.map(({ name, type, comment }) => {
    return `  \`${name}\` ${type}${comment === undefined ? '' : ` COMMENT '${escaped(comment)}'`}`
  })
  return lines.join(', \n')
}

function serdeLines(properties: Readonly<Record<string, string>>): string[] {
  return Object.keys(properties).length === 0 ? [] : ['WITH SERDEPROPERTIES ( ', `${propertyLines(properties)}) `]
}

function tableProperties({ properties, createdAt }: CatalogTable): Record<string, string> {
  const { EXTERNAL: _external, ...own } = properties
  return { ...own, transient_lastDdlTime: String(Math.floor(createdAt / 1000)) }
}

function propertyLines(properties: Readonly<Record<string, string>>): string {
  const lines = Object.keys(properties)
    .sort()
    .map((name) => `  '${escaped(name)}'='${escaped(properties[name] as string)}'`)
  return lines.join(', \n')
}

const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
