import type { CatalogTable } from '../catalog/catalog-entry'
import { duckdbIdentifier, duckdbString, duckdbTypeText, type HiveType, parseHiveType } from './hive-type'
import { nullPartition, partitionName } from './partition-value'

/** One object that a query reads. */
export interface ScanFile {
  /** Local file with its bytes. */
  readonly file: string
  /** `s3://bucket/key`. */
  readonly path: string
  readonly size: number
  /** Values of the partition keys, in their order, as the catalogue has them. */
  readonly partition: readonly string[]
}

/** A relation with the columns of the table and no row. */
export function emptyRelation(table: CatalogTable): string {
  const columns = [...table.columns, ...table.partitionKeys].map(
    (column) => `CAST(NULL AS ${duckdbTypeText(parseHiveType(column.type))}) AS ${duckdbIdentifier(column.name)}`,
  )
  const hidden = ['CAST(NULL AS VARCHAR) AS "$path"', 'CAST(NULL AS VARCHAR) AS "$partition"']
  return `(SELECT ${[...columns, ...hidden].join(', ')} WHERE false)`
}

/** What {@link withPlaces} joins. */
export interface PlacedSource {
  readonly table: CatalogTable
  readonly files: readonly ScanFile[]
  /** Table expression; its alias is `r`. */
  readonly source: string
  /** Select items for the columns of the file, each with its alias. */
  readonly columns: readonly string[]
  /** Column of the source that tells the object: its index in `files`, or the local file name. */
  readonly on: 'object' | 'filename'
}

/** Adds the partition columns, `"$path"` and `"$partition"`, which depend on the object that a row comes from. */
export function withPlaces({ table, files, source, columns, on }: PlacedSource): string {
  const place = (file: ScanFile, index: number) =>
    [
      on === 'object' ? String(index) : duckdbString(file.file),
      duckdbString(file.path),
      duckdbString(partitionName(table, file.partition)),
      ...file.partition.map(duckdbString),
    ].join(', ')
  const partitions = table.partitionKeys.map(
    (key, i) => `${partitionValue(`m.p${i}`, parseHiveType(key.type))} AS ${duckdbIdentifier(key.name)}`,
  )
  const names = ['id', 'path', 'place', ...table.partitionKeys.map((_, i) => `p${i}`)]
  const select = [...columns, ...partitions, 'm.path AS "$path"', 'm.place AS "$partition"'].join(', ')
  const values = files.map((file, index) => `(${place(file, index)})`).join(', ')
  return `(SELECT ${select} FROM ${source} r JOIN (VALUES ${values}) m(${names.join(', ')}) ON r.${on} = m.id)`
}

function partitionValue(source: string, type: HiveType): string {
  const value = `nullif(${source}, '${nullPartition}')`
  return type.kind === 'varchar' || (type.kind === 'primitive' && type.name === 'string')
    ? value
    : `CAST(${value} AS ${duckdbTypeText(type)})`
}
