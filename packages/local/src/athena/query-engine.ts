/**
 * The seam inside the local Athena: `athena/service` and the statement front end on one side, the SELECT translator that runs on
 * DuckDB on the other.
 */

/** A column of a table, with its type in Trino's spelling (`varchar`, `timestamp(3)`, `row(a integer)`). Names are lower case. */
export interface TableColumn {
  readonly name: string
  readonly type: string
  /** Whether its value comes from the partition, not from the file. */
  readonly partition: boolean
}

/** What of a table a query needs. Everything may be absent (= all). Files: derived from predicates on partition columns and `"$path"`. */
export interface ScanFilter {
  /** Names of the columns that the query reads. The scan still yields all; only these count as scanned where a format allows it. */
  readonly columns?: readonly string[] | undefined
  /** Partition values by column name, as the strings of the catalogue. Values that are not given yet do not speak against a partition. */
  readonly partition?: ((values: Readonly<Record<string, string>>) => boolean) | undefined
  /** `s3://bucket/key`. */
  readonly path?: ((path: string) => boolean) | undefined
}

/** What a scan reads. */
export interface Scan {
  /**
   * A DuckDB table expression to stand in FROM (in parentheses where needed). It yields every column of the table under its own name,
   * partition columns included, and the hidden ones (VARCHAR).
   */
  readonly sql: string
  readonly files: number
  /** What Athena would read: of text objects all bytes as stored, of Parquet the chunks of the columns in the filter. */
  readonly bytes: number
}

/** A table that stands in a FROM clause. */
export interface TableRelation {
  readonly database: string
  readonly table: string
  readonly columns: readonly TableColumn[]
  /** Names of the columns that `*` leaves out. Default `"$path"`. */
  readonly hidden?: readonly ('$path' | '$partition')[] | undefined
  scan(filter: ScanFilter): Promise<Scan>
}

/** A view that stands in a FROM clause: its query is read in place. */
export interface ViewRelation {
  readonly database: string
  readonly table: string
  readonly columns: readonly TableColumn[]
  readonly view: {
    readonly sql: string
    /** Database of the names in it that have none. */
    readonly database: string
  }
}

/** Finds tables and views; authorisation and catalogue live behind it. */
export interface TableResolver {
  /** @throws {@link AthenaFailure} when database or table does not exist or may not be read. */
  resolve(database: string, table: string): Promise<TableRelation | ViewRelation>
}

/** ColumnInfo of GetQueryResults (values: athena.md, "ColumnInfo values"). */
export interface OutputColumn {
  readonly name: string
  /** Type name as Athena reports it: `varchar`, `integer`, `float` (= real), `row`, `array`, `timestamp with time zone` … */
  readonly type: string
  /** Full Trino type, with element types. */
  readonly fullType: string
  readonly precision: number
  readonly scale: number
}

/** A SELECT that is known to give on DuckDB what Athena gives. */
export interface CompiledSelect {
  /** DuckDB SQL. Column order and names as `columns`. Usable inside `COPY (…) TO …`. */
  readonly sql: string
  readonly columns: readonly OutputColumn[]
  readonly tables: readonly { readonly database: string; readonly table: string }[]
  readonly scannedBytes: number
  readonly scannedFiles: number
}

export interface SelectEngine {
  /** @throws {@link AthenaFailure} for a syntax error, an unknown name, a type error, or whatever is not known to equal Athena. */
  compile(sql: string, context: { readonly database: string; readonly resolver: TableResolver }): Promise<CompiledSelect>
  /** Checks a query without reading any file. @throws as `compile` does. */
  analyze(sql: string, context: { readonly database: string; readonly resolver: TableResolver }): Promise<readonly OutputColumn[]>
  /** Runs it. Cells are in Athena's text form; `null` is NULL. Rows come in batches. Stops when the signal aborts. */
  run(query: CompiledSelect, options: { readonly signal?: AbortSignal }): AsyncIterable<readonly (readonly (string | null)[])[]>
  /** Runs any DuckDB statement (COPY of a CTAS) on the same instance; resolves to the number of changed rows. */
  execute(sql: string, options: { readonly signal?: AbortSignal }): Promise<number>
  close(): Promise<void>
}

/** A query that fails as on Athena: state FAILED with this reason. `category` and `type` as in AthenaError (athena.md §3). */
export class AthenaFailure extends Error {
  /** 1 system, 2 user, 3 other. */
  readonly category: 1 | 2 | 3
  readonly type: number
  readonly retryable: boolean

  constructor(message: string, options: { category?: 1 | 2 | 3; type?: number; retryable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AthenaFailure'
    this.category = options.category ?? 2
    this.type = options.type ?? 1006
    this.retryable = options.retryable ?? false
  }
}

/** Refusal of what the local Athena cannot run faithfully: always names the construct. Never passed through to DuckDB. */
export function notSupportedLocally(construct: string): AthenaFailure {
  return new AthenaFailure(
    `NOT_SUPPORTED_LOCALLY: ${construct} is not known to behave as on Athena, so the local Athena refuses it.`,
    {
      category: 2,
      type: 1007,
    },
  )
}
