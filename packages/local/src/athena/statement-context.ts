import type { Catalog } from '../catalog/catalog'
import type { ObjectFiles } from '../s3/object-files'
import type { Permissions } from './permissions'
import type { PreparedStatements } from './prepared-statements'
import type { SelectEngine } from './query-engine'
import type { Cell, ResultIndex } from './result-file'
import type { S3Location } from './s3-location'

/** What a running statement knows about its execution and its surroundings. */
export interface StatementContext {
  /** QueryExecutionId. */
  readonly id: string
  /** Database for names that have none. */
  readonly database: string
  readonly workgroup: string
  /** Limit of the workgroup for one query (BytesScannedCutoffPerQuery). */
  readonly maxScannedBytes: number | undefined
  readonly prepared: PreparedStatements
  readonly catalog: Catalog
  readonly files: ObjectFiles
  readonly permissions: Permissions
  /** Where results go. */
  readonly output: S3Location
  /** The workgroup's settings override the client's, so a CTAS may not choose its own place. */
  readonly outputEnforced: boolean
  /** Folder of this execution on this machine; removed when it has ended. */
  readonly scratch: string
  readonly signal: AbortSignal
  /** Told how much the statement reads, before it does. */
  onScan(bytes: number): void
  /** Milliseconds by the clock of the runtime. */
  now(): number
  /** Started on first use. */
  engine(): Promise<SelectEngine>
}

/** A column of a result as GetQueryResults reports it. */
export interface ResultColumn {
  readonly name: string
  readonly type: string
  readonly precision: number
  readonly scale: number
}

/** How a statement ended well. */
export interface StatementOutcome {
  readonly columns: readonly ResultColumn[]
  /** Rows kept in memory (DDL and SHOW: few), or in the result object. */
  readonly rows:
    | { readonly kind: 'memory'; readonly rows: readonly (readonly Cell[])[] }
    | { readonly kind: 'object'; readonly index: ResultIndex }
  /** Whether the names of the columns are the first row of the first page (queries only). */
  readonly header: boolean
  readonly updateCount: number
  readonly scannedBytes: number
  /** Key of the result object in the output bucket; absent when there is none (CTAS). */
  readonly resultKey: string | undefined
  /** `s3://…-manifest.csv` of a statement that wrote rows. */
  readonly manifest: string | undefined
  /** Milliseconds of real time that planning took. */
  readonly planningMs: number
}

/** ResultConfiguration.OutputLocation by statement: known before it runs. */
export function outputPath(context: Pick<StatementContext, 'id' | 'output'>, suffix: '.csv' | '.txt' | ''): string {
  return `s3://${context.output.bucket}/${context.output.prefix}${context.id}${suffix}`
}
