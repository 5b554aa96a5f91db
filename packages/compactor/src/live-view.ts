import type { S3Client } from '@aws-sdk/client-s3'
import { type Athena, identifier, joinSql, renderSql, type SqlFragment, sql } from '@pipe/athena-query'
import { ConfigError, quoteName, rawLineTableDdl, timeOfKey, type Window, windowOf } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { isSettled } from './compact-window'
import { batchColumn, type Compaction } from './define'
import { hasCertainLines, isCertain, path, valueSql } from './engine/athena-sql'
import { explainMissingTable, stateError } from './errors'
import type { StateContext } from './execute'
import { withState } from './maintenance/context'
import { surveyWindows, whyUnplaced, windowsAt } from './select'
import { parseCommitKey } from './state'

/** Names of a live view and of what it reads. */
export interface LiveViewNames {
  /** Name of the view. Default: the name of the table and `_live`. */
  readonly view?: string | undefined
  /** Qualifies all names. Default: the database of the session. */
  readonly database?: string | undefined
}

/** What {@link refreshLiveView} takes. */
export interface RefreshLiveViewOptions extends LiveViewNames {
  /** The compaction whose raw tail and commits the view joins. */
  readonly compaction: Compaction
  /** Client with the database of the tables. */
  readonly athena: Athena
  /** The scheduled time: windows that end after it (and the grace) are open. */
  readonly at: Date
  /** Default: made from the standard environment, and closed at the end. */
  readonly client?: S3Client | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
}

/** What the view shows after {@link refreshLiveView}. */
export interface LiveView {
  readonly view: string
  /** Start of the first window whose rows come from the raw objects; all before it come from the compacted table. */
  readonly openFrom: Date
}

/** The first day that the table of open rows knows. */
const firstDay = '2020-01-01'

/**
 * The statements that create, once and at deployment, what the live view reads: a table over the lines of the raw objects with partition
 * projection, so that a new hour is seen without a statement. `CREATE EXTERNAL TABLE IF NOT EXISTS`: running it again does nothing.
 *
 * @throws {@link ConfigError} as {@link liveViewSql}.
 * @example
 * ```ts
 * for (const statement of [...compactionDdl(compaction), ...liveViewDdl(compaction)]) await athena.execute(statement)
 * ```
 */
export function liveViewDdl(compaction: Compaction, options: LiveViewNames = {}): string[] {
  checkOptions('liveViewDdl', options, { optional: ['view', 'database'] })
  checkLiveView(compaction)
  const { source, table } = compaction
  const create = rawLineTableDdl({
    database: options.database,
    name: openTable(compaction),
    location: source,
    partitions: table.partitions.columns,
  })
  const hour = table.partitions.columns.includes('hour')
  const properties = {
    'projection.enabled': 'true',
    'projection.dt.type': 'date',
    'projection.dt.format': 'yyyy-MM-dd',
    'projection.dt.range': `${firstDay},NOW+1DAYS`,
    ...(hour && { 'projection.hour.type': 'integer', 'projection.hour.range': '0,23', 'projection.hour.digits': '2' }),
  }
  const list = Object.entries(properties).map(([name, value]) => `  '${name}'='${value}'`)
  return [`${create}\nTBLPROPERTIES (\n${list.join(',\n')}\n)`]
}

/**
 * The query of the live view: windows before `openFrom` from the compacted table, the others from the raw objects. Both sides are cut at the
 * same literal, so no row is ever seen twice, whatever is committed or published meanwhile. Open rows are those whose lines SQL reads with
 * certainty; the others, and rows that come late, appear once they are compacted. Rows are not de-duplicated before that.
 *
 * @throws {@link ConfigError} for a format other than NDJSON, or columns that SQL cannot read from lines.
 */
export function liveViewSql(compaction: Compaction, openFrom: Date, options: LiveViewNames = {}): string {
  checkOptions('liveViewSql', options, { optional: ['view', 'database'] })
  checkLiveView(compaction)
  const { table, compacted } = compaction
  const { database } = options
  const name = (text: string) => (database === undefined ? identifier(text) : identifier(database, text))
  const partitions = table.partitions.columns.map((column) => identifier(column))
  const columns = Object.keys(table.columns).map((column) => identifier(column))
  const values = Object.entries(table.columns).map(
    ([column, { type }]) => sql`${valueSql(column, type)} AS ${identifier(column)}`,
  )
  const byWindow = cutsWindows(compaction)
  const before = byWindow
    ? sql`${identifier(batchColumn)} < ${windowOf(compaction.window, openFrom).id}`
    : partitionOrder(compaction, openFrom, 'before')
  const since = [
    partitionOrder(compaction, openFrom, 'since'),
    isCertain(table),
    ...(byWindow ? [inWindow(compaction, openFrom)] : []),
  ]
  return renderSql(sql`SELECT ${joinSql([...columns, ...partitions])}
FROM ${name(compacted.name)}
WHERE ${before}
UNION ALL
SELECT ${joinSql([...values, ...partitions], ',\n')}
FROM ${name(openTable(compaction))}
WHERE ${joinSql(since, ' AND ')}`)
}

/**
 * Moves the live view on: to the first window that is not yet compacted and published, or not yet closed. Idempotent; run it after each run of
 * the compactor, before which it shows the same rows from the raw objects. One `CREATE OR REPLACE VIEW`, which readers see as a whole.
 *
 * With `publish: 'manifest'`, and with a `keyTime` of one's own, the cut lies at the start of a partition.
 *
 * @throws {@link ConfigError} as {@link liveViewSql}; `PIPE_COMPACT_TABLES` when {@link liveViewDdl} or `compactionDdl` was not run.
 * @example
 * ```ts
 * await compactor.run({ at })
 * const { openFrom } = await refreshLiveView({ compaction, athena, at })
 * ```
 */
export async function refreshLiveView(options: RefreshLiveViewOptions): Promise<LiveView> {
  checkOptions('refreshLiveView', options, {
    required: ['compaction', 'athena', 'at'],
    optional: ['client', 'signal', 'view', 'database'],
  })
  return withState(options, async (context) => {
    const { compaction, athena, at, database, signal } = options
    const view = options.view ?? `${compaction.table.name}_live`
    const key = `_pipe/${compaction.table.name}/live-view.json`
    const record = await readRecord(context, key)
    const openFrom = cutAt(compaction, await firstOpen(context, record.openFrom, at))
    const query = liveViewSql(compaction, openFrom, { database })
    const name = quoteName(database === undefined ? [view] : [database, view], 'trino')
    try {
      await athena.execute(`CREATE OR REPLACE VIEW ${name} AS\n${query}`, signal ? { signal } : {})
    } catch (error) {
      throw explainMissingTable(error)
    }
    await writeRecord(context, key, record, openFrom)
    return { view, openFrom }
  })
}

/** Name of the table of open rows. */
function openTable({ table }: Compaction): string {
  return `${table.name}_open_lines`
}

function checkLiveView({ table, format }: Compaction): void {
  if (format === 'ndjson' && hasCertainLines(table)) return
  const reason = format === 'ndjson' ? 'has columns that SQL cannot read from lines' : `is written as ${format.toUpperCase()}`
  throw new ConfigError(`${table.name} ${reason}, so it has no live view.`, { hint: 'Read the compacted table.' })
}

/** Whether SQL can tell the window of each side: of a batch, and of a raw object by its path. */
function cutsWindows({ publish, keyTime }: Compaction): boolean {
  return publish === 'partitions' && keyTime === timeOfKey
}

function cutAt(compaction: Compaction, openFrom: Date): Date {
  if (cutsWindows(compaction)) return openFrom
  const { lengthMs } = compaction.table.partitions
  return new Date(Math.floor(openFrom.getTime() / lengthMs) * lengthMs)
}

/** Partitions before that of an instant, or from it on. */
function partitionOrder({ table }: Compaction, at: Date, side: 'before' | 'since'): SqlFragment {
  const values = Object.entries(table.partitions.valuesOf(at)).map(([name, value]) => ({ name: identifier(name), value }))
  const [day, hour] = values as [(typeof values)[0], (typeof values)[0] | undefined]
  if (side === 'before') {
    if (!hour) return sql`${day.name} < ${day.value}`
    return sql`(${day.name} < ${day.value} OR (${day.name} = ${day.value} AND ${hour.name} < ${hour.value}))`
  }
  if (!hour) return sql`${day.name} >= ${day.value}`
  return sql`(${day.name} > ${day.value} OR (${day.name} = ${day.value} AND ${hour.name} >= ${hour.value}))`
}

/** The time in the path of an object, to the minute, as `timeOfKey` finds it: it belongs to a window, and lies in the partition that says so. */
function inWindow({ table }: Compaction, openFrom: Date): SqlFragment {
  const time = sql`regexp_extract(${path}, ${'[-/]([0-9]{8}T[0-9]{4})(?:[0-9]{2})?Z(?:[-.][^/]*)?$'}, 1)`
  const day = sql`concat(substr(${time}, 1, 4), '-', substr(${time}, 5, 2), '-', substr(${time}, 7, 2)) = ${identifier('dt')}`
  const hour = table.partitions.columns.includes('hour') ? sql` AND substr(${time}, 10, 2) = ${identifier('hour')}` : sql``
  const minute = openFrom.toISOString().replaceAll(/[-:]/g, '').slice(0, 13)
  return sql`${time} >= ${minute} AND ${day}${hour}`
}

/** Windows that one look takes in. */
const windowsPerSurvey = 288

/** Start of the first window from `from` on that is open, or holds rows that readers of the compacted table do not see. */
async function firstOpen(context: StateContext, from: Date | undefined, at: Date): Promise<Date> {
  const { compaction, signal, keys } = context
  const { last } = windowsAt(compaction, at)
  const begin = from ?? (await firstWindow(context))?.start ?? last.end
  for (let start = begin.getTime(); start < last.end.getTime(); ) {
    const windows: Window[] = []
    for (; start < last.end.getTime() && windows.length < windowsPerSurvey; start += compaction.windowMs) {
      windows.push(windowOf(compaction.window, start))
    }
    const survey = await surveyWindows(compaction, context, keys, windows, signal)
    for (const { id, start: opens } of windows) {
      const state = survey.windows.get(id)!
      // Without raw objects there is nothing to be compacted: none came, or they were retired.
      if (state.files.length > 0 && !isSettled(state, true)) return opens
    }
  }
  return new Date(Math.max(begin.getTime(), last.end.getTime()))
}

/** The first window that has raw objects or a commit. */
async function firstWindow({ compaction, source, target, keys, signal }: StateContext): Promise<Window | undefined> {
  const found: Window[] = []
  const options = signal ? { signal } : {}
  for await (const { key } of source.list({ prefix: '', ...options })) {
    const time = compaction.keyTime(key)
    if (whyUnplaced(compaction, key, time) !== undefined) continue
    found.push(windowOf(compaction.window, time!))
    break
  }
  for await (const { key } of target.list({ prefix: keys.commits, ...options })) {
    const commit = parseCommitKey(key)
    if (commit === undefined) continue
    found.push(windowOf(compaction.window, timeOfKey(`-${commit.window}`)!))
    break
  }
  return found.sort((a, b) => a.start.getTime() - b.start.getTime())[0]
}

interface ViewRecord {
  readonly openFrom: Date | undefined
  readonly etag: string | undefined
}

/** Where the view was cut last: the search for the next cut begins there. */
async function readRecord({ target, signal }: StateContext, key: string): Promise<ViewRecord> {
  const object = await target.get(key, signal ? { signal } : {})
  if (object === undefined) return { openFrom: undefined, etag: undefined }
  let openFrom: Date
  try {
    openFrom = new Date((JSON.parse(await object.text()) as { openFrom: string }).openFrom)
    openFrom.toISOString()
  } catch (cause) {
    throw stateError(target.uri(key), 'is not the record of a live view', { cause })
  }
  return { openFrom, etag: object.etag }
}

async function writeRecord({ target, signal }: StateContext, key: string, before: ViewRecord, openFrom: Date): Promise<void> {
  if (before.openFrom?.getTime() === openFrom.getTime()) return
  const put = { contentType: 'application/json', ...(signal && { signal }) }
  const text = JSON.stringify({ version: 1, openFrom: openFrom.toISOString() })
  // Whoever was faster has a record that is as good: it only shortens the next search.
  if (before.etag === undefined) await target.putIfAbsent(key, text, put)
  else await target.putIfMatch(key, text, before.etag, put)
}
