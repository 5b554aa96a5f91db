import { type Column, column, type Table } from '@pipe/core'
import type { Field } from '../field-spec'
import type { LineLayout } from '../line-layout'

/** What {@link albLog} and its like give: to be spread into {@link defineLog}. */
export interface LogPreset<Name extends string, Device extends Name> {
  readonly table: Table<Readonly<Record<Name, Column<string>>> & { readonly at: Column<Date> }>
  readonly deviceColumn: Device
  readonly fields: Readonly<Record<Exclude<Name, Device>, Field<string>>>
  readonly format: LineLayout
}

/** String columns of these names. */
export function textColumns<const Name extends string>(list: readonly Name[]): Readonly<Record<Name, Column<string>>> {
  return Object.fromEntries(list.map((name) => [name, column.string()])) as Record<Name, Column<string>>
}
