import type { CatalogColumn, CatalogTable } from '../catalog/catalog-entry'
import { parseHiveType } from './hive-type'
import { AthenaFailure } from './query-engine'
import { dateText, numberText, timestampText } from './scan-value'

/** Hive's name for the partition whose value is NULL. */
export const nullPartition = '__HIVE_DEFAULT_PARTITION__'

/**
 * A partition value as the catalogue keeps it: canonical text of the key's type, so that `hour=07` and `hour=7` are one partition.
 *
 * @throws {@link AthenaFailure} when it is not a value of the type.
 */
export function partitionText(value: string, key: CatalogColumn): string {
  const type = parseHiveType(key.type)
  if (value === nullPartition) return value
  let text: string | undefined = value
  if (type.kind === 'primitive') {
    if (type.name === 'date') text = dateText(value)
    else if (type.name === 'timestamp') text = timestampText(value)
    else if (type.name === 'boolean') text = /^(true|false)$/i.test(value) ? value.toLowerCase() : undefined
    else if (type.name !== 'string') text = numberText(value, type)
  } else if (type.kind === 'decimal') text = numberText(value, type)
  if (text === undefined || text === '') {
    throw new AthenaFailure(
      `FAILED: SemanticException: '${value}' is not a ${key.type}, the type of partition column ${key.name}`,
      {
        type: 1006,
      },
    )
  }
  return text
}

// The characters that Hive escapes in names of partition folders.
const escaped = /[\x01-\x1f\x7f"#%'*/:=?\\{[\]^]/g

const escapeName = (text: string) =>
  text.replaceAll(escaped, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)

/** A value from the name of a folder. */
export const unescapeName = (text: string): string =>
  text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** `dt=2026-11-24/hour=15`: the name of a partition in SHOW PARTITIONS, and of its folder when it has no location of its own. */
export function partitionName(table: Pick<CatalogTable, 'partitionKeys'>, values: readonly string[]): string {
  return table.partitionKeys.map((key, i) => `${escapeName(key.name)}=${escapeName(values[i] as string)}`).join('/')
}
