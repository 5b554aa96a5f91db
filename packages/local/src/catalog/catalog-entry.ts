/** A column as the catalogue keeps it: lower-case name, type in Hive's spelling (`string`, `array<int>`). */
export interface CatalogColumn {
  readonly name: string
  readonly type: string
  readonly comment?: string | undefined
}

export interface CatalogDatabase {
  readonly name: string
  readonly comment?: string | undefined
  readonly location?: string | undefined
  readonly properties: Readonly<Record<string, string>>
  /** Milliseconds by the clock of the runtime. */
  readonly createdAt: number
}

/** The query behind a view. */
export interface ViewDefinition {
  /** In Trino's SQL, as written. */
  readonly sql: string
  /** Database of the names in it that have none. */
  readonly database: string
}

/** An external table: where its files lie and how they are read. Or a view, which has no files: its location and formats are empty. */
export interface CatalogTable {
  readonly database: string
  readonly name: string
  readonly columns: readonly CatalogColumn[]
  readonly partitionKeys: readonly CatalogColumn[]
  /** `s3://bucket/prefix/`, always with a trailing slash. */
  readonly location: string
  readonly serde: string
  readonly serdeProperties: Readonly<Record<string, string>>
  readonly inputFormat: string
  readonly outputFormat: string
  readonly properties: Readonly<Record<string, string>>
  readonly comment?: string | undefined
  /** Set for a view only. */
  readonly view?: ViewDefinition | undefined
  readonly createdAt: number
}

/** One partition: a value a partition key, in the order of the keys, as canonical text of the key's type. */
export interface CatalogPartition {
  readonly values: readonly string[]
  /** `s3://bucket/prefix/`, always with a trailing slash. */
  readonly location: string
  readonly createdAt: number
}

/** One line of the journal: a change that has happened. */
export type CatalogChange =
  | { readonly kind: 'database-created'; readonly database: CatalogDatabase }
  | { readonly kind: 'database-dropped'; readonly name: string }
  | { readonly kind: 'table-created'; readonly table: CatalogTable }
  /** The new definition of a table that was there; its partitions stay. */
  | { readonly kind: 'table-altered'; readonly table: CatalogTable }
  | { readonly kind: 'table-dropped'; readonly database: string; readonly name: string }
  | {
      readonly kind: 'partitions-added'
      readonly database: string
      readonly table: string
      readonly partitions: readonly CatalogPartition[]
    }
  | {
      readonly kind: 'partitions-dropped'
      readonly database: string
      readonly table: string
      readonly values: readonly (readonly string[])[]
    }
  /** A partition with another location or, then under other values, another name. */
  | {
      readonly kind: 'partition-altered'
      readonly database: string
      readonly table: string
      readonly values: readonly string[]
      readonly partition: CatalogPartition
    }
