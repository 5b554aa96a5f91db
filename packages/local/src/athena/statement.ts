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
  | {
      readonly kind: 'unload'
      readonly select: string
      readonly location: string
      readonly properties: Readonly<Record<string, CtasValue>>
    }
  | {
      readonly kind: 'insert'
      readonly table: QualifiedName
      /** As written; absent: all columns in their order. */
      readonly columns: readonly string[] | undefined
      readonly select: string
    }
  | { readonly kind: 'create-view'; readonly view: QualifiedName; readonly orReplace: boolean; readonly select: string }
  | { readonly kind: 'drop-view'; readonly view: QualifiedName; readonly ifExists: boolean }
  | { readonly kind: 'show-views'; readonly database: string | undefined; readonly pattern: string | undefined }
  | { readonly kind: 'show-create-view'; readonly view: QualifiedName }
  | { readonly kind: 'show-create-table'; readonly table: QualifiedName }
  | { readonly kind: 'show-columns'; readonly table: QualifiedName }
  | { readonly kind: 'show-table-properties'; readonly table: QualifiedName; readonly property: string | undefined }
  | { readonly kind: 'describe'; readonly table: QualifiedName }
  | { readonly kind: 'repair-table'; readonly table: QualifiedName }
  | {
      readonly kind: 'set-partition-location'
      readonly table: QualifiedName
      readonly spec: PartitionSpec
      readonly location: string
    }
  | { readonly kind: 'rename-partition'; readonly table: QualifiedName; readonly from: PartitionSpec; readonly to: PartitionSpec }
  | {
      readonly kind: 'alter-columns'
      readonly table: QualifiedName
      readonly change: 'add' | 'replace'
      readonly columns: readonly CatalogColumn[]
    }
  | {
      readonly kind: 'set-table-properties'
      readonly table: QualifiedName
      readonly properties: Readonly<Record<string, string>>
    }
  | { readonly kind: 'set-table-location'; readonly table: QualifiedName; readonly location: string }
  | { readonly kind: 'prepare'; readonly name: string; readonly sql: string }
  | { readonly kind: 'execute'; readonly name: string; readonly parameters: readonly string[] }
  | { readonly kind: 'deallocate'; readonly name: string }
  | { readonly kind: 'select'; readonly sql: string }

/** A statement of one kind. */
export type StatementOf<K extends Statement['kind']> = Extract<Statement, { readonly kind: K }>

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
  unload: { type: 'DML', substatement: 'UNLOAD' },
  insert: { type: 'DML', substatement: 'INSERT' },
  'create-view': { type: 'DDL', substatement: 'CREATE_VIEW' },
  'drop-view': { type: 'DDL', substatement: 'DROP_VIEW' },
  'show-views': { type: 'UTILITY', substatement: 'SHOW_VIEWS' },
  'show-create-view': { type: 'UTILITY', substatement: 'SHOW_CREATE_VIEW' },
  'show-create-table': { type: 'UTILITY', substatement: 'SHOW_CREATE_TABLE' },
  'show-columns': { type: 'UTILITY', substatement: 'SHOW_COLUMNS' },
  'show-table-properties': { type: 'UTILITY', substatement: 'SHOW_TABLE_PROPERTIES' },
  describe: { type: 'UTILITY', substatement: 'DESCRIBE_TABLE' },
  'repair-table': { type: 'DDL', substatement: 'MSCK_REPAIR_TABLE' },
  'set-partition-location': { type: 'DDL', substatement: 'ALTER_TABLE_SET_LOCATION' },
  'rename-partition': { type: 'DDL', substatement: 'ALTER_TABLE_RENAME_PARTITION' },
  'alter-columns': { type: 'DDL', substatement: 'ALTER_TABLE_COLUMNS' },
  'set-table-properties': { type: 'DDL', substatement: 'ALTER_TABLE_SET_PROPERTIES' },
  'set-table-location': { type: 'DDL', substatement: 'ALTER_TABLE_SET_LOCATION' },
  prepare: { type: 'DDL', substatement: 'PREPARE' },
  execute: { type: 'DML', substatement: 'EXECUTE' },
  deallocate: { type: 'DDL', substatement: 'DEALLOCATE' },
  select: { type: 'DML', substatement: 'SELECT' },
}
