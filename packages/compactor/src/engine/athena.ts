import { type Athena, ctasSql, renderSql, type SqlFragment } from '@pipe/athena-query'
import { addPartitionsDdl, ConfigError, column, rawLineTableDdl, type S3Location, type Table } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { billedBytes } from '../cost'
import { explainMissingTable } from '../errors'
import { withStamps } from '../plan'
import type { Attempt, PlannedInput } from '../state'
import { symlinkTableDdl } from '../symlink-ddl'
import {
  bucketColumn,
  checkAthenaColumns,
  columnsSql,
  countSql,
  dedupeSql,
  duplicatesSql,
  hasCertainLines,
  type LinesQuery,
  rowsSql,
} from './athena-sql'
import { writeCleanObject } from './clean-object'
import { countLines, splitPaths } from './count-lines'
import type { Engine, EngineJob, EngineOutput, EngineResult, InputAccount, MergeJob } from './engine'
import type { FileAccount } from './scan-file'
import { type ScratchTables, scratchTables } from './scratch-tables'

/** What {@link athenaEngine} takes. */
export interface AthenaEngineOptions {
  /** A client with a database: `createAthena({ database, … })`. It is not closed by the compactor. */
  readonly athena: Athena
  /**
   * How Athena is told which objects to read: by their paths in the statement (`'path-filter'`: about 2 000 a statement, and so a file), or by
   * a table of its own over a list of them (`'symlink'`: any number, two more statements). Default `'path-filter'`.
   */
  readonly inputList?: 'path-filter' | 'symlink' | undefined
  /** Files a window, 1 to 100: more than one for windows of which one file would be too large. Default 1. */
  readonly buckets?: number | undefined
}

/** Writers that a statement of Athena may have open: partitions × buckets. @see Athena user guide, "Considerations for CTAS queries" */
const maxWriters = 100

/**
 * The engine that compacts in Athena. The objects of a plan are named by `"$path" IN (…)` inside the window's partition of the raw-line
 * table, their lines are counted, and one CTAS writes the Parquet file. Objects with lines that SQL cannot be certain of, or at which a
 * query fails, are read in this process instead; their readable rows join the CTAS as one clean object.
 *
 * Statements a window: count, CTAS, drop of the scratch table; with such objects two more.
 *
 * @throws {@link ConfigError} when the client has no database; `PIPE_COMPACT_WRITERS` for more than 100 buckets.
 */
export function athenaEngine(options: AthenaEngineOptions): Engine {
  checkOptions('athenaEngine', options, { required: ['athena'], optional: ['inputList', 'buckets'] })
  const { athena, inputList = 'path-filter', buckets = 1 } = options
  checkEngine(athena, inputList, buckets)
  let statements = 0
  // Partitions of raw-line tables that this process has added: adding them again would do nothing.
  const added = new Set<string>()

  async function execute(statement: SqlFragment | string, signal: AbortSignal | undefined): Promise<void> {
    statements++
    try {
      await athena.execute(statement, signal ? { signal } : {})
    } catch (error) {
      throw explainMissingTable(error)
    }
  }

  const scratchOf = ({ attempt, signal }: { attempt: Attempt; signal: AbortSignal | undefined }): ScratchTables =>
    scratchTables(attempt, (statement) => execute(statement, signal), signal)

  async function run(job: EngineJob): Promise<EngineResult> {
    const scratch = scratchOf(job)
    return scratch.around(() => compact(job, scratch))
  }

  async function compact(job: EngineJob, scratch: ScratchTables): Promise<EngineResult> {
    const { compaction, attempt, source, target, signal } = job
    const { table } = compaction
    const inputs = await withStamps(source, job.inputs, signal)
    const found = await findSuspects(job, inputs, scratch)

    const suspects = inputs.filter(({ key }) => found.suspects.has(key))
    const cleanFolder = `${attempt.stagePrefix}clean/`
    const clean = suspects.length === 0 ? undefined : await writeCleanObject(job, suspects, `${cleanFolder}lines.ndjson`)
    const cleanAccounts = new Map<string, FileAccount>(suspects.map(({ key }, i) => [key, clean!.accounts[i]!]))
    const accounts = inputs.map(({ key }): InputAccount => {
      return { key, ...(cleanAccounts.get(key) ?? { rows: found.lines.get(key) ?? 0, quarantinedRows: 0 }) }
    })
    const paths = inputs
      .filter(({ key }) => !found.suspects.has(key) && (found.lines.get(key) ?? 0) > 0)
      .map(({ key }) => source.uri(key))
    if (paths.length === 0 && !clean?.exists) return { outputs: [], accounts }

    let cleanTable: string | undefined
    if (clean?.exists) {
      cleanTable = scratch.name()
      const location = target.uri(cleanFolder) as S3Location
      await execute(rawLineTableDdl({ name: cleanTable, location, partitions: [] }), signal)
    }
    const groups = await goodLines(job, scratch, found.listed, paths, suspects.length > 0, cleanTable)
    if (groups.length > 1 && compaction.dedupeBy.length > 0) throw tooManyForDedupe(groups.length)
    let duplicateRows = 0
    for (const [index, group] of groups.entries()) {
      const rows = rowsSql(table, group, index === 0 ? cleanTable : undefined)
      if (compaction.dedupeBy.length > 0) duplicateRows += await countDuplicates(rows, compaction.dedupeBy, signal)
      const folder = groups.length === 1 ? attempt.dataPrefix : `${attempt.dataPrefix}${index}/`
      const as = dedupeSql(table, rows, compaction.dedupeBy)
      await createFrom(scratch.name(), as, target.uri(folder) as S3Location, table, signal)
      job.onProgress({ phase: 'query', done: index + 1, total: groups.length, unit: 'statements' })
    }
    return { outputs: await listOutputs(job), accounts, duplicateRows }
  }

  /** Objects that Athena alone cannot be trusted with, and the lines of the others. */
  async function findSuspects(job: EngineJob, inputs: readonly PlannedInput[], scratch: ScratchTables) {
    const { compaction, source, signal } = job
    const suspects = new Set<string>()
    const lines = new Map<string, number>()
    if (compaction.format !== 'ndjson' || !hasCertainLines(compaction.table)) {
      for (const { key } of inputs) suspects.add(key)
      return { suspects, lines, listed: undefined }
    }
    const paths = inputs.map(({ key }) => source.uri(key))
    const listed = inputList === 'symlink' ? await listLines(job, scratch, paths) : await partitionLines(job)
    const query = { ...listed, paths }
    const isWhole = inputList === 'symlink'
    const { counts, failed } = await countLines(athena, compaction.table, query, isWhole, () => statements++, signal)
    for (const { key, rows } of inputs) {
      const path = source.uri(key)
      const count = counts.get(path) ?? { lines: 0, certain: 0 }
      lines.set(key, count.lines)
      if (failed.has(path) || count.certain !== count.lines || (rows !== undefined && rows !== count.lines)) suspects.add(key)
    }
    return { suspects, lines, listed }
  }

  /** The window's partition of the raw-line table. */
  async function partitionLines({ compaction, attempt, source, signal }: EngineJob): Promise<LinesQuery> {
    const { partition, statement, location } = partitionOf({ compaction, attempt, source })
    if (!added.has(location)) {
      await execute(statement, signal)
      added.add(location)
    }
    return { table: compaction.linesTable, partition }
  }

  /** A table of its own over a list of the objects. */
  async function listLines(job: EngineJob, scratch: ScratchTables, paths: readonly string[]): Promise<LinesQuery> {
    const { target, attempt, signal } = job
    const name = scratch.name()
    const folder = `${attempt.stagePrefix}${name}/`
    await target.put(`${folder}objects`, paths.map((path) => `${path}\n`).join(''), signal ? { signal } : {})
    const location = target.uri(folder) as S3Location
    await execute(symlinkTableDdl({ name, location, format: 'lines', partitions: [] }), signal)
    return { table: name, partition: {} }
  }

  /** What the statements read that write the rows: one group a statement. */
  async function goodLines(
    job: EngineJob,
    scratch: ScratchTables,
    listed: LinesQuery | undefined,
    paths: readonly string[],
    hasSuspects: boolean,
    cleanTable: string | undefined,
  ): Promise<(LinesQuery | undefined)[]> {
    if (paths.length === 0) return [undefined]
    if (inputList === 'symlink') return [hasSuspects ? await listLines(job, scratch, paths) : listed]
    const { compaction } = job
    const render = (some: readonly string[]) => {
      const rows = rowsSql(compaction.table, { ...listed!, paths: some }, cleanTable)
      return renderSql(dedupeSql(compaction.table, rows, compaction.dedupeBy))
    }
    // CTAS adds its own properties around the SELECT.
    return splitPaths((some) => `${render(some)}${' '.repeat(4096)}`, paths).map((group) => ({ ...listed!, paths: group }))
  }

  async function countDuplicates(rows: SqlFragment, by: readonly string[], signal: AbortSignal | undefined): Promise<number> {
    statements++
    const query = athena.query(duplicatesSql(rows, by), {
      returns: { duplicates: column.bigint() },
      ...(signal && { signal }),
    })
    return Number((await query.first())?.duplicates ?? 0n)
  }

  function ctasOf(name: string, as: SqlFragment, location: S3Location, table: Table) {
    const by = bucketColumn(table)
    // One bucket is one writer, and one writer is one file.
    const bucketed = by === undefined ? {} : { buckets: { by: [by], count: buckets } }
    return { table: name, as, location, format: 'PARQUET' as const, compression: 'SNAPPY' as const, ...bucketed }
  }

  async function createFrom(
    name: string,
    as: SqlFragment,
    location: S3Location,
    table: Table,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    statements++
    await athena.ctas({ ...ctasOf(name, as, location, table), ...(signal && { signal }) })
  }

  async function listOutputs({
    attempt,
    target,
    signal,
  }: Pick<MergeJob, 'attempt' | 'target' | 'signal'>): Promise<EngineOutput[]> {
    const outputs: EngineOutput[] = []
    for await (const { key, etag, size } of target.list({ prefix: attempt.dataPrefix, ...(signal && { signal }) })) {
      outputs.push({ key, etag, bytes: size })
    }
    return outputs
  }

  async function merge(job: MergeJob): Promise<readonly EngineOutput[]> {
    const { compaction, attempt, inputs, target, signal } = job
    const { table } = compaction
    const scratch = scratchOf(job)
    return scratch.around(async () => {
      const name = scratch.name()
      const folder = `${attempt.stagePrefix}${name}/`
      const lines = inputs.map(({ key }) => `${target.uri(key)}\n`).join('')
      await target.put(`${folder}objects`, lines, signal ? { signal } : {})
      const location = target.uri(folder) as S3Location
      await execute(symlinkTableDdl({ name, location, format: 'parquet', columns: table.columns, partitions: [] }), signal)
      await createFrom(scratch.name(), columnsSql(table, name), target.uri(attempt.dataPrefix) as S3Location, table, signal)
      return listOutputs(job)
    })
  }

  function statementsFor(job: Parameters<NonNullable<Engine['statementsFor']>>[0]): string[] {
    const { compaction, attempt, inputs, source, target } = job
    const { table, dedupeBy } = compaction
    const paths = inputs.map(({ key }) => source.uri(key))
    const isListed = inputList === 'symlink'
    const list = attempt.scratchName
    const name = isListed ? `${attempt.scratchName}_1` : attempt.scratchName
    const { partition, statement } = partitionOf(job)
    const first = isListed
      ? symlinkTableDdl({
          name: list,
          location: target.uri(`${attempt.stagePrefix}${list}/`) as S3Location,
          format: 'lines',
          partitions: [],
        })
      : statement
    const query: LinesQuery = isListed ? { table: list, partition: {} } : { table: compaction.linesTable, partition, paths }
    const groups = isListed
      ? [query]
      : splitPaths((some) => renderSql(rowsSql(table, { ...query, paths: some }, undefined)) + ' '.repeat(4096), paths).map(
          (group) => ({ ...query, paths: group }),
        )
    const writes = groups.map((group, i) => {
      const as = dedupeSql(table, rowsSql(table, group, undefined), dedupeBy)
      const folder = groups.length === 1 ? attempt.dataPrefix : `${attempt.dataPrefix}${i}/`
      return renderSql(
        ctasSql(ctasOf(i === 0 ? name : `${attempt.scratchName}_${i}`, as, target.uri(folder) as S3Location, table)),
      )
    })
    return [first, ...groups.map((group) => renderSql(countSql(table, group))), ...writes]
  }

  return {
    name: 'athena',
    needsStamps: true,
    athena,
    get statements() {
      return statements
    },
    check: ({ table }) => checkAthenaColumns(table),
    // The objects are read to count their lines and again to write their rows.
    estimate: ({ bytes }) => ({ scannedBytes: 2 * billedBytes(bytes), statements: inputList === 'symlink' ? 6 : 5, reads: 2 }),
    statementsFor,
    run,
    merge,
  }
}

function partitionOf({ compaction, attempt, source }: Pick<EngineJob, 'compaction' | 'attempt' | 'source'>): {
  readonly partition: Readonly<Record<string, string>>
  readonly statement: string
  readonly location: S3Location
} {
  const { partitions } = compaction.table
  const partition = partitions.valuesOf(attempt.window.start)
  const location = source.uri(partitions.pathOf(attempt.window.start)) as S3Location
  return { partition, location, statement: addPartitionsDdl({ name: compaction.linesTable }, [{ values: partition, location }]) }
}

function checkEngine(athena: Athena, inputList: string, buckets: number): void {
  if (athena.database === undefined) {
    throw new ConfigError('athenaEngine: the Athena client has no database, so its tables cannot be found.', {
      hint: "Make it with createAthena({ database: '…' }).",
    })
  }
  if (inputList !== 'path-filter' && inputList !== 'symlink') {
    throw new ConfigError(`athenaEngine: inputList can be 'path-filter' or 'symlink', not ${JSON.stringify(inputList)}.`)
  }
  if (!Number.isInteger(buckets) || buckets < 1) {
    throw new ConfigError(`athenaEngine: buckets must be a whole number from 1 to ${maxWriters}, not ${buckets}.`)
  }
  if (buckets > maxWriters) {
    throw new ConfigError(
      `athenaEngine: ${buckets} buckets in the 1 partition of a window are ${buckets} open writers; Athena has at most ${maxWriters} (partitions × buckets).`,
      { code: 'PIPE_COMPACT_WRITERS', hint: `Use at most ${maxWriters} buckets, or a shorter window.` },
    )
  }
}

function tooManyForDedupe(statements: number): ConfigError {
  return new ConfigError(
    `The names of the window's objects need ${statements} statements, and rows cannot be de-duplicated across them.`,
    { code: 'PIPE_COMPACT_DEDUPE', hint: "Use athenaEngine({ athena, inputList: 'symlink' })." },
  )
}
