import type { CatalogColumn, CatalogTable } from '../catalog/catalog-entry'
import { partitionName, partitionText } from './partition-value'
import { projectedDates } from './projected-dates'
import { AthenaFailure, notSupportedLocally } from './query-engine'

/** A partition that a rule yields: it needs no entry in the catalogue. */
export interface ProjectedPartition {
  /** As the catalogue would have them. */
  readonly values: readonly string[]
  readonly location: string
}

/** Whether a table has its partitions from rules (`projection.enabled`). Those in the catalogue are then not looked at. */
export function isProjected({ properties }: Pick<CatalogTable, 'properties'>): boolean {
  return properties['projection.enabled']?.trim().toLowerCase() === 'true'
}

/** A value of one column: as the rule writes it, and as the catalogue would have it. */
interface Choice {
  readonly text: string
  readonly value: string
}

/**
 * The partitions of a table with partition projection, one after the other: all combinations of the values of its columns.
 *
 * @param now milliseconds, for ranges that name NOW.
 * @param keep asked with the values of the first columns, too: when it says no, none of their combinations is looked at.
 * @throws {@link AthenaFailure} HIVE_METASTORE_ERROR for a column without a rule or with a wrong one; by name for injected columns.
 * @see Athena User Guide, "Set up partition projection" and "Supported types for partition projection"
 */
export function* projectedPartitions(
  table: CatalogTable,
  now: number,
  keep: (values: Readonly<Record<string, string>>) => boolean = () => true,
): Generator<ProjectedPartition> {
  const keys = table.partitionKeys
  const missing = keys.filter(({ name }) => table.properties[`projection.${name}.type`] === undefined)
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ')
    throw metastoreError(table, `but the following partition columns are missing projection configuration: [${names}]`)
  }
  const template = table.properties['storage.location.template']
  for (const { name } of keys) {
    if (template !== undefined && !template.includes(`\${${name}}`)) {
      throw metastoreError(table, `but its storage.location.template does not name the partition column ${name}`)
    }
  }
  const columns = keys.map((key) => valuesOf(table, key, now).map((text): Choice => ({ text, value: partitionText(text, key) })))

  function* below(chosen: readonly Choice[]): Generator<readonly Choice[]> {
    const values = Object.fromEntries(chosen.map(({ value }, i) => [(keys[i] as CatalogColumn).name, value]))
    if (chosen.length > 0 && !keep(values)) return
    const next = columns[chosen.length]
    if (next === undefined) yield chosen
    else for (const choice of next) yield* below([...chosen, choice])
  }
  for (const chosen of below([])) {
    const texts = chosen.map(({ text }) => text)
    const location = template === undefined ? `${table.location}${partitionName(table, texts)}/` : filled(template, table, texts)
    yield { values: chosen.map(({ value }) => value), location }
  }
}

function filled(template: string, table: CatalogTable, texts: readonly string[]): string {
  return table.partitionKeys.reduce((text, { name }, i) => text.replaceAll(`\${${name}}`, () => texts[i] as string), template)
}

function metastoreError(table: CatalogTable, reason: string): AthenaFailure {
  const name = `${table.database}.${table.name}`
  return new AthenaFailure(`HIVE_METASTORE_ERROR: Table ${name} is configured for partition projection, ${reason}`, {
    type: 1100,
  })
}

function valuesOf(table: CatalogTable, { name }: CatalogColumn, now: number): readonly string[] {
  const property = (suffix: string) => table.properties[`projection.${name}.${suffix}`]
  const wrong = (reason: string) => metastoreError(table, `but the rule of ${name} is wrong: ${reason}`)
  const needed = (suffix: string) => {
    const text = property(suffix)
    if (text === undefined) throw wrong(`projection.${name}.${suffix} is missing`)
    return text
  }
  const type = needed('type').trim().toLowerCase()
  switch (type) {
    case 'enum':
      return needed('values').split(',')
    case 'integer':
      return integers(needed('range'), property('interval'), property('digits'), wrong)
    case 'date': {
      const rule = {
        range: needed('range'),
        format: needed('format'),
        interval: property('interval'),
        unit: property('interval.unit'),
      }
      return projectedDates(rule, now, wrong)
    }
    case 'injected':
      throw notSupportedLocally(`partition projection of the type injected (${name})`)
    default:
      throw wrong(`projection.${name}.type is ${type}, not enum, integer, date or injected`)
  }
}

/** More values than this of one column are no rule that a query can be planned by. */
const maxIntegers = 1_000_000n

function integers(
  range: string,
  interval: string | undefined,
  digits: string | undefined,
  wrong: (reason: string) => AthenaFailure,
): readonly string[] {
  const match = /^\s*(-?\d+)\s*,\s*(-?\d+)\s*$/.exec(range)
  if (!match) throw wrong(`the range ${range} is not two whole numbers`)
  const step = BigInt(positive(interval ?? '1', 'interval', wrong))
  const width = digits === undefined ? 0 : positive(digits, 'digits', wrong)
  const [from, to] = [BigInt(match[1] as string), BigInt(match[2] as string)]
  if ((to - from) / step > maxIntegers) throw notSupportedLocally(`a projected range of more than ${maxIntegers} values`)
  const values: string[] = []
  for (let value = from; value <= to; value += step) {
    const text = (value < 0n ? -value : value).toString().padStart(width, '0')
    values.push(value < 0n ? `-${text}` : text)
  }
  return values
}

function positive(text: string, what: string, wrong: (reason: string) => AthenaFailure): number {
  if (!/^\s*[1-9]\d{0,8}\s*$/.test(text)) throw wrong(`the ${what} ${text} is no positive number`)
  return Number(text)
}
