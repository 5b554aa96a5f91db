import { type Athena, identifier, renderSql, type SqlFragment, sql } from '@pipe/athena-query'
import { addPartitionsDdl, ConfigError, rawLineTableDdl, type S3Location, type Table } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { explainMissingTable } from '../errors'
import { withStamps } from '../plan'
import type { PlannedInput } from '../state'
import { bucketColumn, checkAthenaColumns, hasCertainLines, rowsSql } from './athena-sql'
import { writeCleanObject } from './clean-object'
import { countLines, splitPaths } from './count-lines'
import type { Engine, EngineJob, EngineResult, InputAccount } from './engine'
import type { FileAccount } from './scan-file'

/** What {@link athenaEngine} takes. */
export interface AthenaEngineOptions {
  /** A client with a database: `createAthena({ database, … })`. It is not closed by the compactor. */
  readonly athena: Athena
}

/**
 * The engine that compacts in Athena. The objects of a plan are named by `"$path" IN (…)` inside the window's partition of the raw-line
 * table, their lines are counted, and one CTAS writes the Parquet file. Objects with lines that SQL cannot be certain of, or at which a
 * query fails, are read in this process instead; their readable rows join the CTAS as one clean object.
 *
 * Statements a window: count, CTAS, drop of the scratch table; with such objects two more.
 *
 * @throws {@link ConfigError} when the client has no database.
 */
export function athenaEngine(options: AthenaEngineOptions): Engine {
  checkOptions('athenaEngine', options, { required: ['athena'] })
  const { athena } = options
  if (athena.database === undefined) {
    throw new ConfigError('athenaEngine: the Athena client has no database, so its tables cannot be found.', {
      hint: "Make it with createAthena({ database: '…' }).",
    })
  }
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

  async function addPartition({ compaction, attempt, source, signal }: EngineJob): Promise<Readonly<Record<string, string>>> {
    const { partitions } = compaction.table
    const values = partitions.valuesOf(attempt.window.start)
    const location = source.uri(partitions.pathOf(attempt.window.start)) as S3Location
    if (!added.has(location)) {
      await execute(addPartitionsDdl({ name: compaction.linesTable }, [{ values, location }]), signal)
      added.add(location)
    }
    return values
  }

  async function run(job: EngineJob): Promise<EngineResult> {
    const { compaction, attempt, source, target, signal } = job
    const { table, linesTable } = compaction
    const inputs = await withStamps(source, job.inputs, signal)
    const partition = await addPartition(job)
    const found = await findSuspects(job, inputs, partition)

    const cleanKey = `${attempt.stagePrefix}clean.ndjson`
    const suspects = inputs.filter(({ key }) => found.suspects.has(key))
    const clean = suspects.length === 0 ? undefined : await writeCleanObject(job, suspects, cleanKey)
    const cleanAccounts = new Map<string, FileAccount>(suspects.map(({ key }, i) => [key, clean!.accounts[i]!]))
    const accounts = inputs.map(({ key }): InputAccount => {
      return { key, ...(cleanAccounts.get(key) ?? { rows: found.lines.get(key) ?? 0, quarantinedRows: 0 }) }
    })
    const paths = inputs
      .filter(({ key }) => !found.suspects.has(key) && (found.lines.get(key) ?? 0) > 0)
      .map(({ key }) => source.uri(key))
    if (paths.length === 0 && !clean?.exists) return { outputs: [], accounts }

    await withScratch(job, clean?.exists === true, async (cleanTable, newTable) => {
      const render = (some: readonly string[]) =>
        renderSql(rowsSql(table, some.length === 0 ? undefined : { table: linesTable, partition, paths: some }, cleanTable))
      // CTAS adds its own properties around the SELECT.
      const groups = paths.length === 0 ? [[]] : splitPaths((some) => `${render(some)}${' '.repeat(4096)}`, paths)
      for (const [index, group] of groups.entries()) {
        const as = rowsSql(
          table,
          group.length === 0 ? undefined : { table: linesTable, partition, paths: group },
          index === 0 ? cleanTable : undefined,
        )
        const folder = groups.length === 1 ? attempt.dataPrefix : `${attempt.dataPrefix}${index}/`
        await createFrom(newTable(), as, target.uri(folder) as S3Location, table, signal)
        job.onProgress({ phase: 'query', done: index + 1, total: groups.length, unit: 'statements' })
      }
    })
    const outputs: string[] = []
    for await (const { key } of target.list({ prefix: attempt.dataPrefix, ...(signal && { signal }) })) outputs.push(key)
    return { outputs, accounts }
  }

  /** Objects that Athena alone cannot be trusted with, and the lines of the others. */
  async function findSuspects(job: EngineJob, inputs: readonly PlannedInput[], partition: Readonly<Record<string, string>>) {
    const { compaction, source, signal } = job
    const suspects = new Set<string>()
    const lines = new Map<string, number>()
    if (compaction.format !== 'ndjson' || !hasCertainLines(compaction.table)) {
      for (const { key } of inputs) suspects.add(key)
      return { suspects, lines }
    }
    const paths = inputs.map(({ key }) => source.uri(key))
    const { counts, failed } = await countLines(
      athena,
      compaction.table,
      { table: compaction.linesTable, partition, paths },
      () => statements++,
      signal,
    )
    for (const { key, rows } of inputs) {
      const path = source.uri(key)
      const count = counts.get(path) ?? { lines: 0, certain: 0 }
      lines.set(key, count.lines)
      if (failed.has(path) || count.certain !== count.lines || (rows !== undefined && rows !== count.lines)) suspects.add(key)
    }
    return { suspects, lines }
  }

  async function createFrom(
    name: string,
    as: SqlFragment,
    location: S3Location,
    table: Table,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const column = bucketColumn(table)
    statements++
    await athena.ctas({
      table: name,
      as,
      location,
      format: 'PARQUET',
      compression: 'SNAPPY',
      // One bucket is one writer, and one writer is one file.
      ...(column === undefined ? {} : { buckets: { by: [column], count: 1 } }),
      ...(signal && { signal }),
    })
  }

  /** Runs work with scratch tables of the attempt's own names, and drops them: their data stays where it is. */
  async function withScratch(
    { attempt, target, signal }: EngineJob,
    hasClean: boolean,
    work: (cleanTable: string | undefined, newTable: () => string) => Promise<void>,
  ): Promise<void> {
    const made: string[] = []
    const make = (suffix: string) => {
      const name = `${attempt.scratchName}${suffix}`
      made.push(name)
      return name
    }
    let failure: { readonly error: unknown } | undefined
    try {
      let cleanTable: string | undefined
      if (hasClean) {
        cleanTable = make('_lines')
        const location = target.uri(attempt.stagePrefix) as S3Location
        await execute(rawLineTableDdl({ name: cleanTable, location, partitions: [] }), signal)
      }
      let tables = 0
      await work(cleanTable, () => make(tables++ === 0 ? '' : `_${tables}`))
    } catch (error) {
      failure = { error }
    }
    // After an abort there is no time for it; the attempt's record names the tables that stay.
    if (!signal?.aborted) {
      for (const name of made) {
        try {
          await execute(sql`DROP TABLE IF EXISTS ${identifier(name)}`, signal)
        } catch (error) {
          // The first failure says what went wrong.
          failure ??= { error }
        }
      }
    }
    if (failure !== undefined) throw failure.error
  }

  return {
    name: 'athena',
    needsStamps: true,
    athena,
    get statements() {
      return statements
    },
    check: ({ table }) => checkAthenaColumns(table),
    run,
  }
}
