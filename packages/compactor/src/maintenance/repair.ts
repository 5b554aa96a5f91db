import { addPartitionsDdl, hiveString, quoteIdentifier, type S3Location, windowOf } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { liveCommits } from '../chain'
import { commitCache } from '../commit-cache'
import { batchColumn } from '../define'
import { explainMissingTable } from '../errors'
import type { StateContext } from '../execute'
import { partitionAt } from '../partition-state'
import { partitionsOf } from '../publish'
import { publishManifest } from '../publish-manifest'
import { type CommitRecord, parseCommitKey, parseRollUpKey } from '../state'
import { shownPartitions } from './catalogue'
import { type MaintenanceOptions, maintenanceOptionNames, withState } from './context'

/** What {@link repair} takes. */
export interface RepairOptions extends MaintenanceOptions {
  /** Whether to change anything. Default `false`: only reports. Lists of files are written anew only with it. */
  readonly apply?: boolean | undefined
}

/** What the catalogue lacked, and had too much. */
export interface RepairReport {
  readonly applied: boolean
  readonly commits: number
  /** Partitions that commits make and the catalogue lacked: values joined by slashes. */
  readonly added: readonly string[]
  /** Partitions that no commit makes: readers saw rows twice, or rows that never were committed. */
  readonly dropped: readonly string[]
  /** Partitions of the table whose list of files was written anew where it differed. For `publish: 'manifest'`. */
  readonly lists: number
}

/** Partitions of one statement. */
const partitionsAtOnce = 100

/**
 * Brings the catalogue in line with the commits, and with nothing else: partitions that are missing are added, those that no commit makes
 * are dropped, lists of files are derived anew. For a catalogue that was lost, or changed by hand.
 */
export async function repair(options: RepairOptions): Promise<RepairReport> {
  checkOptions('repair', options, { required: ['compaction'], optional: [...maintenanceOptionNames, 'apply'] })
  const { apply = false } = options
  return withState(options, async (context) => {
    const windows = new Map<string, number[]>()
    const starts = new Set<number>()
    const { target, keys, compaction, signal } = context
    for await (const { key } of target.list({ prefix: keys.commits, ...(signal && { signal }) })) {
      const commit = parseCommitKey(key)
      const found = commit ?? parseRollUpKey(key)
      if (found === undefined) continue
      starts.add(partitionAt(compaction, startOf(found.window)).start.getTime())
      if (commit === undefined) continue
      const chain = windows.get(commit.window)
      if (chain) chain.push(commit.seq)
      else windows.set(commit.window, [commit.seq])
    }
    const commits = [...windows.values()].reduce((sum, { length }) => sum + length, 0)
    const base = { applied: apply, commits }
    if (compaction.publish === 'manifest') return { ...base, ...(await repairLists(context, starts, apply)) }
    return { ...base, ...(await repairPartitions(context, windows, apply)), lists: 0 }
  })
}

async function repairLists(context: StateContext, starts: ReadonlySet<number>, apply: boolean) {
  const { compaction, athena, target, keys } = context
  const wanted = new Map<string, S3Location>()
  const { partitions } = compaction.table
  const cache = commitCache(10_000)
  for (const start of starts) {
    const window = windowOf(compaction.window, start)
    if (apply) await publishManifest(context, cache, window, 'partition')
    const key = keys.manifest(partitions.pathOf(window.start))
    const values = partitions.valuesOf(window.start)
    wanted.set(Object.values(values).join('/'), target.uri(key.slice(0, key.lastIndexOf('/') + 1)) as S3Location)
  }
  const changed = athena === undefined ? nothing : await alignCatalogue(context, wanted, apply)
  return { ...changed, lists: starts.size }
}

async function repairPartitions(context: StateContext, windows: ReadonlyMap<string, readonly number[]>, apply: boolean) {
  const { compaction, athena, target } = context
  const wanted = new Map<string, S3Location>()
  const cache = commitCache()
  for (const [id, seqs] of windows) {
    const start = startOf(id)
    const chain: CommitRecord[] = await Promise.all([...seqs].sort((a, b) => a - b).map((seq) => cache.read(context, id, seq)))
    for (const { values, location } of partitionsOf(compaction, target, { id, start, end: start }, liveCommits(chain))) {
      wanted.set(Object.values(values).join('/'), location)
    }
  }
  return athena === undefined ? nothing : alignCatalogue(context, wanted, apply)
}

const nothing: Pick<RepairReport, 'added' | 'dropped'> = { added: [], dropped: [] }

async function alignCatalogue(
  context: StateContext,
  wanted: ReadonlyMap<string, S3Location>,
  apply: boolean,
): Promise<Pick<RepairReport, 'added' | 'dropped'>> {
  const shown = await shownPartitions(context)
  const added = [...wanted.keys()].filter((values) => !shown.has(values)).sort()
  const dropped = [...shown].filter((values) => !wanted.has(values)).sort()
  if (!apply) return { added, dropped }
  const { compaction } = context
  const name = compaction.compacted.name
  // First away with what is wrong: a row that is missing for a moment does less harm than one that is there twice.
  for (const some of chunks(dropped)) {
    const specs = some.map((values) => `PARTITION (${Object.entries(valuesOf(values)).map(equation).join(', ')})`)
    await execute(`ALTER TABLE ${quoteIdentifier(name, 'hive')} DROP IF EXISTS ${specs.join(', ')}`)
  }
  for (const some of chunks(added)) {
    const partitions = some.map((values) => ({ values: valuesOf(values), location: wanted.get(values)! }))
    await execute(addPartitionsDdl({ name }, partitions))
  }
  return { added, dropped }

  function valuesOf(joined: string): Record<string, string> {
    const columns = [...compaction.table.partitions.columns, ...(compaction.publish === 'manifest' ? [] : [batchColumn])]
    const values = joined.split('/')
    return Object.fromEntries(columns.map((column, i) => [column, values[i] ?? '']))
  }

  async function execute(statement: string): Promise<void> {
    try {
      await context.athena!.execute(statement, context.signal ? { signal: context.signal } : {})
    } catch (error) {
      throw explainMissingTable(error)
    }
  }
}

function equation([name, value]: readonly [string, string]): string {
  return `${quoteIdentifier(name, 'hive', 'column')} = ${hiveString(value)}`
}

function* chunks(values: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < values.length; at += partitionsAtOnce) yield values.slice(at, at + partitionsAtOnce)
}

/** The start that a window's id names. */
function startOf(id: string): Date {
  return new Date(id.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})Z$/, '$1-$2-$3T$4:$5:00Z'))
}
