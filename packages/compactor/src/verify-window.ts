import { PipeError, parseUnreadableRows, type Window } from '@pipe/core'
import { liveCommits, remainderOf } from './chain'
import type { CommitCache } from './commit-cache'
import type { StateContext } from './execute'
import { parquetRowCount } from './parquet-footer'
import { batchesBeside, lastRollUp, listPartition, partitionAt } from './partition-state'
import { committedRows, digestOfRows, rawRows } from './row-digest'
import { listWindow } from './select'
import type { CommitRecord } from './state'

/** Something that does not hold. */
export interface Discrepancy {
  readonly seq: number
  /** `s3://…`, when one object is meant. */
  readonly uri?: string | undefined
  readonly what: string
}

/** What was found of a window, from S3 alone. */
export interface VerificationReport {
  readonly window: string
  /** Whether everything holds: `discrepancies` is empty. */
  readonly ok: boolean
  readonly discrepancies: readonly Discrepancy[]
  /** Sequence numbers that count. Those whose rows are in a roll-up are not among them. */
  readonly live: readonly number[]
  readonly inputRows: number
  readonly outputRows: number
  readonly quarantinedRows: number
  readonly duplicateRows: number
  /** Committed source objects: as they were committed, overwritten since, gone since. */
  readonly sources: { readonly same: number; readonly overwritten: number; readonly gone: number }
  /** Source objects that no commit names. */
  readonly waiting: number
  /** Whether rows were compared one by one with the sources, as far as these are still there. */
  readonly rowsCompared: boolean
}

/**
 * Proves a window's commits again: outputs are there in the committed version with the committed rows (by their footers) and nothing beside
 * them, quarantine holds what it should, rows add up, and no object counts twice. With `rows`, sources and outputs are read and compared
 * as multisets.
 */
export async function verifyWindow(
  context: StateContext,
  cache: CommitCache,
  window: Window,
  options: { readonly rows: boolean },
): Promise<VerificationReport> {
  const { compaction, source, target, signal } = context
  const listing = await listPartition(context, partitionAt(compaction, window.start))
  const [rollUp, files] = await Promise.all([lastRollUp(context, listing), listWindow(compaction, source, window, signal)])
  const chain = await Promise.all((listing.chains.get(window.id) ?? []).map((seq) => cache.read(context, window.id, seq)))
  const live = liveCommits(chain)
  const visible = batchesBeside(chain, rollUp)
  const discrepancies: Discrepancy[] = []
  const report = (seq: number, what: string, key?: string) => {
    discrepancies.push({ seq, what, ...(key !== undefined && { uri: target.uri(key) }) })
  }

  const owners = new Map<string, number>()
  for (const { seq, inputs } of live) {
    for (const { key, etag } of inputs) {
      const id = `${etag} ${key}`
      const owner = owners.get(id)
      if (owner !== undefined) report(seq, `${source.uri(key)} is an input of ${owner} as well`)
      owners.set(id, seq)
    }
  }
  for (const commit of live) checkSums(commit, report)
  for (const commit of visible) await checkOutputs(context, commit, report)
  for (const commit of live) await checkQuarantine(context, commit, report)
  let rowsCompared = false
  if (options.rows && compaction.dedupeBy.length === 0) {
    rowsCompared = true
    for (const commit of visible) rowsCompared = (await compareRows(context, commit, report)) && rowsCompared
  }

  const { fresh, overwritten } = remainderOf(files, chain)
  const there = new Set(files.map(({ key }) => key))
  const keys = new Set(live.flatMap(({ inputs }) => inputs.map(({ key }) => key)))
  const gone = [...keys].filter((key) => !there.has(key)).length
  const sum = (pick: (commit: CommitRecord) => number) => live.reduce((total, commit) => total + pick(commit), 0)
  return {
    window: window.id,
    ok: discrepancies.length === 0,
    discrepancies,
    live: visible.map(({ seq }) => seq),
    inputRows: sum(({ inputRows }) => inputRows),
    outputRows: sum(({ outputRows }) => outputRows),
    quarantinedRows: sum(({ quarantinedRows }) => quarantinedRows),
    duplicateRows: sum(({ duplicateRows = 0 }) => duplicateRows),
    sources: { same: keys.size - gone - overwritten.length, overwritten: overwritten.length, gone },
    waiting: fresh.length,
    rowsCompared,
  }
}

type Report = (seq: number, what: string, key?: string) => void

function checkSums(commit: CommitRecord, report: Report): void {
  const { seq, inputs, outputs, inputRows, outputRows, quarantinedRows, duplicateRows = 0 } = commit
  const sumOf = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
  const pairs: readonly (readonly [string, number, number])[] = [
    ['rows of the inputs', sumOf(inputs.map(({ rows }) => rows)), inputRows],
    ['rows of the outputs', sumOf(outputs.map(({ rows }) => rows)), outputRows],
    ['quarantined rows of the inputs', sumOf(inputs.map((input) => input.quarantinedRows)), quarantinedRows],
    ['compacted, quarantined and duplicate rows', outputRows + quarantinedRows + duplicateRows, inputRows],
  ]
  for (const [what, found, wanted] of pairs) if (found !== wanted) report(seq, `the ${what} are ${found}, not ${wanted}`)
}

async function checkOutputs({ target, signal }: StateContext, commit: CommitRecord, report: Report): Promise<void> {
  const { seq, outputs } = commit
  const wanted = new Set(outputs.map(({ key }) => key))
  for (const { key, etag, bytes, rows } of outputs) {
    const head = await target.head(key, signal ? { signal } : {})
    if (head === undefined) report(seq, 'is gone', key)
    else if (head.etag !== etag) report(seq, `has ETag ${head.etag}, not ${etag}`, key)
    else if (head.size !== bytes) report(seq, `has ${head.size} bytes, not ${bytes}`, key)
    else {
      try {
        const found = await parquetRowCount(target, head, signal)
        if (found !== rows) report(seq, `has ${found} rows, not ${rows}`, key)
      } catch (error) {
        if (!PipeError.isInstance(error) || error.code !== 'PIPE_COMPACT_OUTPUT') throw error
        report(seq, error.message, key)
      }
    }
  }
  const folder = outputs[0]?.key.slice(0, outputs[0].key.indexOf('/', `data/${commit.window}/`.length) + 1)
  if (folder === undefined) return
  for await (const { key } of target.list({ prefix: folder, ...(signal && { signal }) })) {
    if (!wanted.has(key)) report(seq, 'lies beside the committed files, so readers see it', key)
  }
}

async function checkQuarantine({ target, signal }: StateContext, commit: CommitRecord, report: Report): Promise<void> {
  const { seq, quarantine, quarantinedRows } = commit
  if (quarantine === undefined) {
    if (quarantinedRows > 0) report(seq, `${quarantinedRows} rows are in quarantine, but there is no file of them`)
    return
  }
  const object = await target.get(quarantine.key, signal ? { signal } : {})
  if (object === undefined) return report(seq, 'is gone', quarantine.key)
  const rows = parseUnreadableRows(await object.text()).reduce((sum, entry) => sum + entry.rows, 0)
  if (rows !== quarantinedRows) report(seq, `stands for ${rows} rows, not ${quarantinedRows}`, quarantine.key)
}

/** Compares rows as multisets; `false` when a source is not there any more in its committed version. */
async function compareRows(context: StateContext, commit: CommitRecord, report: Report): Promise<boolean> {
  const { compaction, source, target, signal } = context
  if (commit.mode === 'quarantine') return true
  const wanted = digestOfRows(compaction.table)
  for (const input of commit.inputs) {
    const batches = await rawRows(compaction, source, input, signal)
    if (batches === undefined) return false
    for await (const { rows } of batches) rows.forEach(wanted.add)
  }
  const found = digestOfRows(compaction.table)
  for (const { key } of commit.outputs) {
    for await (const { rows, unreadable } of await committedRows(compaction.table, target, key, signal)) {
      rows.forEach(found.add)
      for (const { reason } of unreadable) report(commit.seq, reason, key)
    }
  }
  const [a, b] = [wanted.result(), found.result()]
  if (a.rows !== b.rows || a.digest !== b.digest) {
    report(commit.seq, `the outputs hold ${b.rows} rows (digest ${b.digest}), the sources ${a.rows} (digest ${a.digest})`)
  }
  return true
}
