import type { CommandOutput } from '@pipe/core/internal'
import type { ArgsDef } from 'citty'
import type { Athena } from '../athena'
import { tableCode } from '../introspect/table-code'
import { connectionArgs } from './arguments'
import { textTable } from './text-table'

/** Options of `describe`. */
export const describeArgs: ArgsDef = {
  table: { type: 'positional', description: 'database.table', required: true },
  ...connectionArgs,
  code: { type: 'boolean', description: 'The contract of the table as TypeScript' },
}

/** Values of {@link describeArgs}. */
export interface DescribeCommandArgs {
  readonly table: string
  readonly json?: boolean
  readonly code?: boolean
}

/** Shows a table of the catalogue. */
export async function describeCommand(
  athena: Athena,
  args: DescribeCommandArgs,
  output: CommandOutput,
  signal: AbortSignal,
): Promise<number> {
  const table = await athena.describe(args.table, { signal })
  if (args.code) {
    output.out(tableCode(table).trimEnd())
    return 0
  }
  if (args.json) {
    const plain = ({ name, type, comment }: (typeof table.columns)[number]) => ({ name, type, ...(comment ? { comment } : {}) })
    output.out(JSON.stringify({ ...table, columns: table.columns.map(plain), partitions: table.partitions.map(plain) }))
    return 0
  }
  const rows = [
    ...table.columns.map(({ name, type, comment }) => [name, type, comment ?? '']),
    ...table.partitions.map(({ name, type, comment }) => [name, type, comment ?? 'partition key']),
  ]
  output.out(textTable(['column', 'type', ''], rows, [false, false, false]))
  output.note(`${table.database}.${table.name} (${table.kind})${table.location ? `, ${table.location}` : ''}`)
  return 0
}
