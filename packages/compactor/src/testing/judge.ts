import { PipeError, windowOf } from '@pipe/core'
import { liveCommits } from '../chain'
import { commitCache } from '../commit-cache'
import type { StateContext } from '../execute'
import { listPartition, liveFiles, partitionAt } from '../partition-state'
import { type CommitRecord, parseCommitKey } from '../state'
import { rowText, type Sources } from './sources'
import type { World } from './world'

/** What is wrong with a world. All zero and empty: nothing. */
export interface Verdict {
  /** Rows of the sources that readers do not see although they should. */
  lost: number
  /** Rows that readers see more than once, or that no source holds. */
  doubled: number
  /** Things that nobody needs and that garbage collection left. */
  orphans: number
  /** Sentences for people. */
  readonly faults: string[]
}

/** No fault yet. */
export function emptyVerdict(): Verdict {
  return { lost: 0, doubled: 0, orphans: 0, faults: [] }
}

/** At any moment readers see only rows of the sources, each once. */
export async function judgeView(context: StateContext, world: World, sources: Sources, verdict: Verdict): Promise<void> {
  const textOf = rowText(context.compaction.table)
  const known = new Set(sources.versions.flatMap(({ rows }) => rows))
  const seen = new Set<string>()
  for (const row of await visibleRows(world, verdict)) {
    const text = textOf(row)
    if (seen.has(text) || !known.has(text)) {
      verdict.doubled++
      if (verdict.faults.length < 10) verdict.faults.push(`a reader sees ${text} ${seen.has(text) ? 'twice' : 'from nowhere'}`)
    }
    seen.add(text)
  }
}

/** A table that cannot be read shows none of its rows. */
async function visibleRows(world: World, verdict: Verdict): Promise<Record<string, unknown>[]> {
  try {
    return await world.visibleRows()
  } catch (error) {
    if (!PipeError.isInstance(error)) throw error
    verdict.lost++
    if (verdict.faults.length < 10) verdict.faults.push(`readers get an error: ${error.message}`)
    return []
  }
}

/** In the end: the visible rows are those of the sources less the quarantined ones, each once. */
export async function judgeEnd(context: StateContext, world: World, sources: Sources, verdict: Verdict): Promise<void> {
  const fault = (kind: 'lost' | 'doubled', rows: number, what: string) => {
    verdict[kind] += rows
    if (verdict.faults.length < 10) verdict.faults.push(what)
  }
  const live = (await allChains(context)).flatMap((chain) => liveCommits(chain))
  const versions = new Map(sources.versions.map((version) => [`${version.etag} ${version.key}`, version]))
  const owners = new Map<string, CommitRecord>()
  const expected = new Set<string>()
  for (const commit of live) {
    let quarantined = 0
    for (const { key, etag } of commit.inputs) {
      const id = `${etag} ${key}`
      const version = versions.get(id)
      if (version === undefined) {
        fault('doubled', 1, `${commit.window}-${commit.seq} names ${key} with ${etag}, which never was`)
        continue
      }
      if (owners.has(id)) fault('doubled', version.rows.length, `${key} is an input of two commits`)
      owners.set(id, commit)
      if (commit.mode === 'quarantine') quarantined += version.rows.length + version.unreadable
      else {
        quarantined += version.unreadable
        for (const row of version.rows) expected.add(row)
      }
    }
    if (quarantined !== commit.quarantinedRows) {
      fault('lost', 1, `${commit.window}-${commit.seq} has ${commit.quarantinedRows} rows in quarantine, not ${quarantined}`)
    }
  }
  const present = new Map(sources.versions.map((version) => [version.key, version]))
  for (const { key, etag, rows } of present.values()) {
    if (!owners.has(`${etag} ${key}`)) fault('lost', rows.length, `no commit names ${key} as it is now`)
  }
  const textOf = rowText(context.compaction.table)
  const seen = new Set((await visibleRows(world, verdict)).map(textOf))
  for (const row of expected) if (!seen.has(row)) fault('lost', 1, `no reader sees ${row}`)
  for (const row of seen) if (!expected.has(row)) fault('doubled', 1, `readers see ${row}, which no live commit holds`)
  await judgeView(context, world, sources, verdict)
}

/** After garbage collection: nothing is left that no commit names. */
export async function judgeRest(context: StateContext, world: World, verdict: Verdict): Promise<void> {
  const { compaction, target } = context
  const chains = await allChains(context)
  const needed = new Set<string>()
  const cache = commitCache()
  for (const start of new Set(chains.map((chain) => partitionOf(chain[0]!).start.getTime()))) {
    const listing = await listPartition(context, partitionAt(compaction, new Date(start)))
    for (const { key } of (await liveFiles(context, cache, listing)).files) needed.add(key)
  }
  for (const { quarantine } of chains.flat()) if (quarantine) needed.add(quarantine.key)
  const root = `_pipe/${compaction.table.name}/`
  for (const prefix of ['data/', 'stage/', `${root}attempt/`, `${root}quarantine/`, `${root}lease/`]) {
    for await (const { key } of target.list({ prefix })) {
      if (needed.has(key)) continue
      verdict.orphans++
      if (verdict.faults.length < 10) verdict.faults.push(`${key} is left, and nobody needs it`)
    }
  }
  for (const table of await world.tables()) {
    if (!table.startsWith('stg_')) continue
    verdict.orphans++
    if (verdict.faults.length < 10) verdict.faults.push(`the table ${table} is left`)
  }

  function partitionOf({ window }: CommitRecord) {
    const text = window.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})Z$/, '$1-$2-$3T$4:$5:00Z')
    return partitionAt(compaction, windowOf(compaction.window, text).start)
  }
}

async function allChains({ target, keys }: StateContext): Promise<CommitRecord[][]> {
  const chains = new Map<string, CommitRecord[]>()
  for await (const { key } of target.list({ prefix: keys.commits })) {
    if (parseCommitKey(key) === undefined) continue
    const commit = JSON.parse(await (await target.get(key))!.text()) as CommitRecord
    const chain = chains.get(commit.window)
    if (chain) chain.push(commit)
    else chains.set(commit.window, [commit])
  }
  return [...chains.values()].map((chain) => chain.sort((a, b) => a.seq - b.seq))
}
