import type { CatalogColumn } from '../catalog/catalog-entry'

/** A name with its database, when one was written. Lower case. */
export interface QualifiedName {
  readonly database: string | undefined
  readonly name: string
}

/** Values of partition keys as written: `dt='2026-11-24'`. */
export type PartitionSpec = readonly { readonly key: string; readonly value: string }[]

/** A property of a CTAS `WITH (…)`. */
export type CtasValue = string | number | boolean | readonly string[]

/** A statement that the local Athena runs. What it does not run never becomes one of these: parsing refuses it by name. */
export type Statement =
  | {
      readonly kind: 'create-database'
      readonly name: string
      readonly ifNotExists: boolean
      readonly comment: string | undefined
      readonly location: string | undefined
      readonly properties: Readonly<Record<string, string>>
    }
  | { readonly kind: 'drop-database'; readonly name: string; readonly ifExists: boolean; readonly cascade: boolean }
  | {
      readonly kind: 'create-table'
      readonly table: QualifiedName
      readonly ifNotExists: boolean
      readonly columns: readonly CatalogColumn[]
      readonly partitionKeys: readonly CatalogColumn[]
      readonly comment: string | undefined
      readonly serde: string
      readonly serdeProperties: Readonly<Record<string, string>>
      readonly inputFormat: string
      readonly outputFormat: string
      readonly location: string
      readonly properties: Readonly<Record<string, string>>
    }
  | { readonly kind: 'drop-table'; readonly table: QualifiedName; readonly ifExists: boolean }
  | {
      readonly kind: 'add-partitions'
      readonly table: QualifiedName
      readonly ifNotExists: boolean
      readonly partitions: readonly { readonly spec: PartitionSpec; readonly location: string | undefined }[]
    }
  | {
      readonly kind: 'drop-partitions'
      readonly table: QualifiedName
      readonly ifExists: boolean
      readonly specs: readonly PartitionSpec[]
    }
  | { readonly kind: 'show-databases'; readonly pattern: string | undefined }
  | { readonly kind: 'show-tables'; readonly database: string | undefined; readonly pattern: string | undefined }
  | { readonly kind: 'show-partitions'; readonly table: QualifiedName }
  | {
      readonly kind: 'create-table-as'
      readonly table: QualifiedName
      readonly ifNotExists: boolean
      readonly properties: Readonly<Record<string, CtasValue>>
      readonly select: string
      readonly withData: boolean
    }
  | { readonly kind: 'select'; readonly sql: string }

/** StatementType and SubstatementType of GetQueryExecution. */
export interface StatementClass {
  readonly type: 'DDL' | 'DML' | 'UTILITY'
  readonly substatement: string
}

/** Athena reports a CTAS as DDL (awswrangler's cache relies on it); SHOW is UTILITY. */
export const statementClasses: Readonly<Record<Statement['kind'], StatementClass>> = {
  'create-database': { type: 'DDL', substatement: 'CREATE_DATABASE' },
  'drop-database': { type: 'DDL', substatement: 'DROP_DATABASE' },
  'create-table': { type: 'DDL', substatement: 'CREATE_TABLE' },
  'drop-table': { type: 'DDL', substatement: 'DROP_TABLE' },
  'add-partitions': { type: 'DDL', substatement: 'ALTER_TABLE_ADD_PARTITION' },
  'drop-partitions': { type: 'DDL', substatement: 'ALTER_TABLE_DROP_PARTITION' },
  'show-databases': { type: 'UTILITY', substatement: 'SHOW_DATABASES' },
  'show-tables': { type: 'UTILITY', substatement: 'SHOW_TABLES' },
  'show-partitions': { type: 'UTILITY', substatement: 'SHOW_PARTITIONS' },
  'create-table-as': { type: 'DDL', substatement: 'CREATE_TABLE_AS_SELECT' },
  select: { type: 'DML', substatement: 'SELECT' },
}
