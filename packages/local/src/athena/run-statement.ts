import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DdlResult } from './ddl-result'
import { AthenaFailure, type OutputColumn, type TableResolver } from './query-engine'
import { type Cell, createResultWriter } from './result-file'
import { runCtas, type WriteResult } from './run-ctas'
import { runDdl } from './run-ddl'
import { runInsert } from './run-insert'
import { runPrepare } from './run-prepare'
import { runUnload } from './run-unload'
import { createView } from './run-view'
import type { ScanFile } from './scan-file'
import { ScanLimitExceeded, withScanLimit } from './scan-limit'
import { withoutLocalPaths } from './scan-parquet'
import type { Statement } from './statement'
import type { ResultColumn, StatementContext, StatementOutcome } from './statement-context'
import { createTableResolver } from './table-relation'

/**
 * Runs a statement to its end and stores its result.
 *
 * @throws {@link AthenaFailure} when it fails as on Athena; the reason of `context.signal` when stopped.
 */
export async function runStatement(statement: Statement, around: StatementContext): Promise<StatementOutcome> {
  const context = withScanLimit(around)
  await mkdir(context.scratch, { recursive: true })
  const scanned: ScanFile[] = []
  try {
    context.permissions.bucketLocation(context.output.bucket)
    switch (statement.kind) {
      case 'select':
        return await runSelect(statement.sql, context, await resolverOf(context, scanned))
      case 'create-table-as':
        return await written(context, await runCtas(statement, context, await resolverOf(context, scanned)))
      case 'insert':
        return await written(context, await runInsert(statement, context, await resolverOf(context, scanned)))
      case 'unload':
        // Athena gives no update count for UNLOAD.
        return {
          ...(await written(context, await runUnload(statement, context, await resolverOf(context, scanned)))),
          updateCount: 0,
        }
      case 'create-view':
        return await listed(context, await createView(statement, context, await resolverOf(context, scanned)))
      case 'prepare':
      case 'execute':
      case 'deallocate':
        return await listed(context, runPrepare(statement, context))
      default:
        return await listed(context, runDdl(statement, context))
    }
  } catch (error) {
    throw context.signal.aborted || error instanceof ScanLimitExceeded ? error : readable(error, scanned, context.scratch)
  } finally {
    await rm(context.scratch, { recursive: true, force: true })
  }
}

async function resolverOf(context: StatementContext, scanned: ScanFile[]): Promise<TableResolver> {
  const engine = await context.engine()
  const { catalog, files, permissions, scratch, signal } = context
  return createTableResolver({ catalog, files, permissions, scratch, signal, engine, scanned, now: context.now })
}

/** Local files never show: errors of DuckDB name them, so they are called by their objects. */
function readable(error: unknown, scanned: readonly ScanFile[], scratch: string): AthenaFailure {
  const failure = error instanceof AthenaFailure ? error : undefined
  const text = error instanceof Error ? error.message : String(error)
  const message = withoutLocalPaths(text, scanned).replaceAll(scratch, '<scratch>')
  if (failure) {
    if (message === text) return failure
    return new AthenaFailure(message, {
      category: failure.category,
      type: failure.type,
      retryable: failure.retryable,
      cause: error,
    })
  }
  return new AthenaFailure(`GENERIC_INTERNAL_ERROR: ${message}`, { category: 1, type: 100, cause: error })
}

const ctasColumns: readonly ResultColumn[] = [{ name: 'rows', type: 'bigint', precision: 19, scale: 0 }]

async function runSelect(sql: string, context: StatementContext, resolver: TableResolver): Promise<StatementOutcome> {
  const started = performance.now()
  const engine = await context.engine()
  const query = await engine.compile(sql, { database: context.database, resolver })
  const planningMs = performance.now() - started
  const { bucket, prefix } = context.output
  const key = `${prefix}${context.id}.csv`
  context.permissions.putObject(bucket, key)
  const file = join(context.scratch, 'result.csv')
  const writer = await createResultWriter(
    file,
    query.columns.map((column) => column.name),
  )
  try {
    for await (const rows of engine.run(query, { signal: context.signal })) {
      context.signal.throwIfAborted()
      await writer.write(rows)
    }
    const index = await writer.close()
    await context.files.adoptFile(bucket, key, file, { contentType: 'application/octet-stream' })
    const columns = query.columns.map(resultColumn)
    await putMetadata(context, '.csv.metadata', columns)
    return {
      columns,
      rows: { kind: 'object', index },
      header: true,
      updateCount: 0,
      scannedBytes: query.scannedBytes,
      resultKey: key,
      manifest: undefined,
      planningMs,
    }
  } finally {
    await writer.abandon()
  }
}

const resultColumn = ({ name, type, precision, scale }: OutputColumn): ResultColumn => ({ name, type, precision, scale })

/** The outcome of a statement that wrote rows: no result object, a manifest. */
async function written(context: StatementContext, result: WriteResult): Promise<StatementOutcome> {
  await putMetadata(context, '.metadata', ctasColumns)
  return {
    columns: ctasColumns,
    rows: { kind: 'memory', rows: [] },
    header: false,
    updateCount: result.rows,
    scannedBytes: result.scannedBytes,
    resultKey: undefined,
    manifest: result.manifest,
    planningMs: result.planningMs,
  }
}

/** DDL and SHOW: a text object without a header, one line a row. */
async function listed(context: StatementContext, result: DdlResult): Promise<StatementOutcome> {
  const { bucket, prefix } = context.output
  const key = `${prefix}${context.id}.txt`
  context.permissions.putObject(bucket, key)
  const columns = result.columns.map((name): ResultColumn => ({ name, type: 'string', precision: 0, scale: 0 }))
  await context.files.put(bucket, key, textOf(result.rows))
  await putMetadata(context, '.txt.metadata', columns)
  return {
    columns,
    rows: { kind: 'memory', rows: result.rows },
    header: false,
    updateCount: 0,
    scannedBytes: 0,
    resultKey: key,
    manifest: undefined,
    planningMs: 0,
  }
}

const textOf = (rows: readonly (readonly Cell[])[]) => rows.map((row) => `${row.map((cell) => cell ?? '').join('\t')}\n`).join('')

/** The object beside the result. Its form on AWS is undocumented; here it is JSON. */
async function putMetadata(context: StatementContext, suffix: string, columns: readonly ResultColumn[]): Promise<void> {
  const key = `${context.output.prefix}${context.id}${suffix}`
  context.permissions.putObject(context.output.bucket, key)
  await context.files.put(context.output.bucket, key, JSON.stringify({ queryExecutionId: context.id, columns }))
}
