import type { Column } from '@pipe/core'
import type { DescribedColumn, TableDescription } from './table-description'

/**
 * TypeScript that defines the contract of a table: `export const deviceLogs = defineTable('device_logs', { … })`. Columns are nullable, as the
 * catalogue knows nothing else: take `.nullable()` away where a NULL is a mistake. Columns of types that a contract does not know, and
 * partition keys other than `dt` and `hour`, are left out with a comment.
 */
export function tableCode(table: TableDescription): string {
  const known = table.columns.filter((one) => one.column !== undefined)
  const partitions = table.partitions.map(({ name }) => name).join()
  const scheme = partitions === 'dt,hour' ? 'hourly()' : partitions === 'dt' ? 'daily()' : undefined
  const imports = ['column', 'defineTable', ...(scheme === 'daily()' ? ['daily'] : [])].sort()
  const lines = [
    `import { ${imports.join(', ')} } from '@pipe/core'`,
    '',
    `/** ${plain(`${table.database}.${table.name}${table.location ? `, ${table.location}` : ''}`)} */`,
    `export const ${constantName(table.name)} = defineTable(${quoted(table.name)}, {`,
    '  columns: {',
    ...known.map((one) => `    ${propertyName(one.name)}: ${columnCode(one.column!)},${commentOf(one)}`),
    '  },',
    ...(scheme === 'daily()' ? ['  partitions: daily(),'] : []),
    '})',
    ...table.columns
      .filter((one) => one.column === undefined)
      .map((one) => note(`${one.name} is ${one.type}, which a contract does not know: cast it in the query.`)),
    ...(scheme === undefined && table.partitions.length > 0
      ? [note(`Partition keys: ${table.partitions.map((one) => `${one.name} ${one.type}`).join(', ')}.`)]
      : []),
  ]
  return `${lines.join('\n')}\n`
}

/** The expression that makes a column. */
export function columnCode({ type, isNullable }: Column): string {
  const end = isNullable ? '.nullable()' : ''
  switch (type.kind) {
    case 'decimal':
      return `column.decimal(${type.precision}, ${type.scale})${end}`
    case 'timestamp':
      if (type.zone) return `column.timestampWithZone(${type.precision === 3 ? '' : type.precision})${end}`
      return type.precision > 3
        ? `column.timestampMicros()${end}`
        : `column.timestamp(${type.precision === 3 ? '' : type.precision})${end}`
    case 'array':
      return `column.array(${columnCode(type.element)})${end}`
    case 'map':
      return `column.map(${columnCode(type.key)}, ${columnCode(type.value)})${end}`
    case 'struct': {
      const fields = Object.entries(type.fields).map(([name, field]) => `${propertyName(name)}: ${columnCode(field)}`)
      return `column.struct({ ${fields.join(', ')} })${end}`
    }
    default:
      return `column.${type.kind}()${end}`
  }
}

// What the catalogue holds may have been written by anybody: names are spelled as strings, comments kept on one line.
function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) && name !== '__proto__' ? name : quoted(name)
}

function constantName(name: string): string {
  const camel = name.replaceAll(/[^A-Za-z0-9]+([A-Za-z0-9])?/g, (_, next: string | undefined) => next?.toUpperCase() ?? '')
  return /^[A-Za-z_]/.test(camel) && !reserved.has(camel) ? camel : `table${camel}`
}

const reserved = new Set([
  'class',
  'default',
  'delete',
  'export',
  'import',
  'new',
  'package',
  'public',
  'return',
  'switch',
  'table',
  'this',
  'var',
])

function commentOf({ comment }: DescribedColumn): string {
  return comment ? ` ${note(comment)}` : ''
}

function note(text: string): string {
  return `// ${oneLine(text)}`
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n\u2028\u2029]+/g, ' ')
}

/** Text that cannot end its comment. */
function plain(text: string): string {
  return oneLine(text).replaceAll('*/', '* /').trim()
}
