import { identifier, sql } from '@pipe/athena-query'
import { ConfigError, column, type Duration, durationMs, type ObjectSummary, PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { commitCache } from '../commit-cache'
import { maxAttemptMs, type StateContext } from '../execute'
import { type AttemptRecord, parseAttemptKey, readAttempt, readCommit, readRollUp } from '../state'
import { type MaintenanceOptions, maintenanceOptionNames, storeTime, withState } from './context'
import { replacedFiles } from './replaced-files'

/** What {@link collectGarbage} takes. */
export interface GarbageOptions extends MaintenanceOptions {
  /** Whether to delete. Default `false`: only reports what would be deleted. */
  readonly apply?: boolean | undefined
  /** Age from which what no commit names is garbage. At least, and by default, `'24 hours'`. */
  readonly minAge?: Duration | undefined
  /** Start of the windows in which replaced files are looked for. Default: seven days ago. */
  readonly since?: Date | undefined
}

/** Something that nobody needs any more. */
export interface Garbage {
  /** `s3://…`, or the name of a table. */
  readonly uri: string
  readonly bytes: number
  readonly why: 'attempt died' | 'attempt ended' | 'replaced' | 'lease ran out'
}

/** What was found, and deleted when that was asked for. */
export interface GarbageReport {
  readonly applied: boolean
  /** At most 1 000 of them. */
  readonly garbage: readonly Garbage[]
  readonly objects: number
  readonly bytes: number
  /** Scratch tables. */
  readonly tables: readonly string[]
  /** Attempts that are too young to be judged. */
  readonly young: number
}

/** How many things a report names. */
const maxNamed = 1000

/**
 * Deletes what attempts that died left behind (data, staged rows, quarantine files, scratch tables), what ended attempts need no more, and
 * committed files that a later commit has replaced and no reader is shown any more. Only what an attempt's own record names is touched, so
 * foreign objects are safe; in doubt nothing is deleted. It can die at any point and be run again, beside running compactors too.
 *
 * Needs `s3:DeleteObject` on `<target>/*`, and `glue:DeleteTable` for scratch tables. One small object is written for the time of S3.
 *
 * @throws {@link ConfigError} for a `minAge` below 24 hours.
 * @example
 * ```ts
 * const { objects, bytes } = await collectGarbage({ compaction })          // what would go
 * await collectGarbage({ compaction, athena, apply: true })
 * ```
 */
export async function collectGarbage(options: GarbageOptions): Promise<GarbageReport> {
  const optional = [...maintenanceOptionNames, 'apply', 'minAge', 'since']
  checkOptions('collectGarbage', options, { required: ['compaction'], optional })
  const minAgeMs = durationMs(options.minAge ?? '24 hours')
  if (minAgeMs < 2 * maxAttemptMs) {
    throw new ConfigError(`collectGarbage: minAge "${options.minAge}" is too short.`, {
      hint: 'An attempt may commit up to 12 hours after it began; twice that is the least.',
    })
  }
  return withState(options, async (context) => {
    const now = await storeTime(context)
    const cutoff = new Date(now.getTime() - minAgeMs)
    const since = options.since ?? new Date(now.getTime() - 7 * 86_400_000)
    const collector = createCollector(context, options.apply ?? false, cutoff)
    // Attempts are listed before their commits are read: one that commits in between is seen as committed.
    const attempts: ObjectSummary[] = []
    for await (const object of context.target.list(listing(context, context.keys.attempts))) attempts.push(object)
    const tables = await scratchTables(context)
    for (const attempt of attempts) {
      if (attempt.lastModified < cutoff) await collectAttempt(context, collector, attempt.key, tables)
      else collector.passOver()
    }
    for await (const file of replacedFiles(context, commitCache(), { since, cutoff, now }))
      await collector.remove(file, 'replaced')
    for await (const lease of context.target.list(listing(context, `_pipe/${context.compaction.table.name}/lease/`))) {
      if (lease.lastModified < cutoff) await collector.remove(lease, 'lease ran out')
    }
    return collector.report()
  })
}

const listing = ({ signal }: StateContext, prefix: string) => ({ prefix, ...(signal && { signal }) })

interface Collector {
  remove(object: Pick<ObjectSummary, 'key' | 'size'>, why: Garbage['why']): Promise<void>
  /** Everything below a folder; `false`, and nothing is deleted, when something in it is young. */
  removeFolder(prefix: string, why: Garbage['why']): Promise<boolean>
  dropTable(name: string): Promise<void>
  passOver(): void
  report(): GarbageReport
}

function createCollector({ target, athena, signal }: StateContext, apply: boolean, cutoff: Date): Collector {
  const garbage: Garbage[] = []
  const dropped: string[] = []
  let objects = 0
  let bytes = 0
  let young = 0
  const wait = signal ? { signal } : {}
  const remove: Collector['remove'] = async ({ key, size }, why) => {
    signal?.throwIfAborted()
    objects++
    bytes += size
    if (garbage.length < maxNamed) garbage.push({ uri: target.uri(key), bytes: size, why })
    if (apply) await target.delete(key, wait)
  }
  return {
    remove,
    async removeFolder(prefix, why) {
      const found: ObjectSummary[] = []
      for await (const object of target.list({ prefix, ...wait })) found.push(object)
      if (found.some(({ lastModified }) => lastModified >= cutoff)) return false
      for (const object of found) await remove(object, why)
      return true
    },
    async dropTable(name) {
      dropped.push(name)
      if (apply) await athena!.execute(sql`DROP TABLE IF EXISTS ${identifier(name)}`, wait)
    },
    passOver: () => void young++,
    report: () => ({ applied: apply, garbage, objects, bytes, tables: dropped, young }),
  }
}

async function collectAttempt(
  context: StateContext,
  collector: Collector,
  key: string,
  tables: readonly string[],
): Promise<void> {
  const { target, signal } = context
  const name = parseAttemptKey(key)
  if (name === undefined) return
  const record = await readAttempt(target, key, signal)
  checkPlaces(context, key, name, record)
  const isCommitted = (await committedAttempt(context, name)) === name.id
  const why = isCommitted ? 'attempt ended' : 'attempt died'
  if (!isCommitted) {
    if (!(await collector.removeFolder(record.data, why))) return collector.passOver()
    const quarantine = await target.head(record.quarantine, signal ? { signal } : {})
    if (quarantine !== undefined) await collector.remove(quarantine, why)
  }
  if (!(await collector.removeFolder(record.stage, why))) return collector.passOver()
  const own = tables.filter((table) => table === record.scratch || table.startsWith(`${record.scratch}_`))
  for (const table of own) await collector.dropTable(table)
  // Last: as long as it is there, a collection that died is taken up again.
  await collector.remove({ key, size: 0 }, why)
}

/** Id of the attempt whose commit counts; `undefined` when there is no commit. */
async function committedAttempt(
  { target, keys, signal }: StateContext,
  { window, seq }: { readonly window: string; readonly seq: string },
): Promise<string | undefined> {
  const isRollUp = seq.startsWith('r')
  const key = isRollUp ? keys.rollUp(window, Number(seq.slice(1))) : keys.commit(window, Number(seq))
  if ((await target.head(key, signal ? { signal } : {})) === undefined) return undefined
  if (isRollUp) return (await readRollUp(target, key, signal)).attempt
  // The commit of a plan that was given up names the attempt that gave it up, but no files.
  const { outcome, attempt } = await readCommit(target, key, signal)
  return outcome === 'committed' ? attempt : undefined
}

/** A record that names places of others was edited by hand: nothing is deleted by it. */
function checkPlaces(
  { target }: StateContext,
  key: string,
  { window, seq, id }: { readonly window: string; readonly seq: string; readonly id: string },
  record: AttemptRecord,
): void {
  const own = `${window}/${seq}-${id}`
  const isOwn =
    record.data === `data/${own}/` &&
    record.stage === `stage/${own}/` &&
    record.quarantine.endsWith(`/${own}.ndjson`) &&
    record.scratch.endsWith(`_${id}`)
  if (isOwn) return
  throw new PipeError('PIPE_COMPACT_STATE', `${target.uri(key)} names places that are not its own.`, {
    hint: 'State objects are never edited: nothing was deleted by it. Delete the record itself when you know that its attempt is over.',
  })
}

async function scratchTables({ athena, compaction, signal }: StateContext): Promise<string[]> {
  if (athena === undefined) return []
  const query = athena.query(sql`SHOW TABLES ${`stg_${compaction.table.name}_*`}`, {
    returns: { tab_name: column.string() },
    ...(signal && { signal }),
  })
  return (await query.rows()).map(({ tab_name }) => tab_name)
}
