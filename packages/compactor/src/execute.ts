import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Athena } from '@pipe/athena-query'
import { type ObjectStore, PipeError, type Window } from '@pipe/core'
import { unreadableRow } from '@pipe/core/internal'
import type { NextBatch } from './chain'
import { commitAborted, commitAttempt } from './commit'
import type { Compaction } from './define'
import type { CompactionProgress, Engine, EngineJob, EngineResult, InputAccount } from './engine/engine'
import { fetchInOrder } from './engine/fetch'
import { lineScanners } from './engine/line-scanner'
import { scanFile } from './engine/scan-file'
import { isSourceChanged } from './errors'
import { ensurePlan } from './plan'
import { createQuarantine } from './quarantine'
import {
  type Attempt,
  type AttemptRecord,
  type CommitRecord,
  newAttempt,
  type PlanRecord,
  readCommit,
  type StateKeys,
} from './state'
import { verifyAttempt } from './verify'

/** Where sources, state and data of a compaction are. */
export interface StateContext {
  readonly compaction: Compaction
  /** The client to publish through. Without it nothing is published. */
  readonly athena: Athena | undefined
  readonly source: ObjectStore
  readonly target: ObjectStore
  readonly keys: StateKeys
  readonly signal: AbortSignal | undefined
}

/** What every step of one run shares. */
export interface RunContext extends StateContext {
  readonly engine: Engine
  /** Id of a new attempt. */
  newId(): string
  onProgress(progress: CompactionProgress): void
}

/** How the work on one sequence number of a window ended. `replan`: a source changed before there was a plan. */
export type BatchOutcome = { readonly commit: CommitRecord; readonly isOurs: boolean } | 'replan'

/**
 * Takes a batch of a window through plan, engine, verification and commit, as the given sequence number. When the plan was made by
 * somebody else, that plan is carried out, or its commit taken when it is there already.
 */
export async function compactBatch(context: RunContext, window: Window, seq: number, batch: NextBatch): Promise<BatchOutcome> {
  const { compaction, engine, source, target, keys, signal } = context
  const report = (phase: CompactionProgress['phase'], done: number) =>
    context.onProgress({ phase, window: window.id, done, total: batch.files.length, unit: 'files' })
  report('plan', 0)
  let planned: Awaited<ReturnType<typeof ensurePlan>>
  try {
    planned = await ensurePlan(
      compaction,
      { source, target },
      keys,
      { window, seq, batch },
      { stamps: engine.needsStamps, signal },
    )
  } catch (error) {
    if (isSourceChanged(error)) return 'replan'
    throw error
  }
  if (!planned.isOurs) {
    const key = keys.commit(window.id, seq)
    const head = await target.head(key, signal ? { signal } : {})
    if (head !== undefined) return { commit: await readCommit(target, key, signal), isOurs: false }
  }
  const attempt = newAttempt(compaction, window, context.newId(), seq)
  try {
    return await runAttempt(context, planned.plan, attempt, report)
  } catch (error) {
    if (!isSourceChanged(error)) throw error
    return commitAborted(compaction, target, keys, attempt, engine.name, error.message, signal)
  }
}

async function runAttempt(
  context: RunContext,
  plan: PlanRecord,
  attempt: Attempt,
  report: (phase: CompactionProgress['phase'], done: number) => void,
): Promise<{ readonly commit: CommitRecord; readonly isOurs: boolean }> {
  const { compaction, engine, source, target, keys, signal } = context
  const { window } = attempt
  const startedAt = performance.now()
  const quarantine = createQuarantine()
  try {
    await recordAttempt(context, attempt)
    const job: EngineJob = {
      compaction,
      attempt,
      inputs: plan.inputs,
      source,
      target,
      quarantine,
      signal,
      onProgress: (progress) => context.onProgress({ ...progress, window: window.id }),
    }
    const result = plan.mode === 'quarantine' ? await putAside(job, plan) : await engine.run(job)
    const saved = await quarantine.save(target, attempt.quarantineKey, signal)
    report('verify', 0)
    const work = { window, planned: plan.inputs, quarantinedRows: quarantine.rows }
    const verified = await verifyAttempt(compaction, { source, target }, work, result, signal)
    report('commit', plan.inputs.length)
    checkAge(startedAt, window)
    return await commitAttempt(compaction, target, keys, attempt, engine.name, plan, verified, saved, signal)
  } finally {
    quarantine.dispose()
  }
}

/** Says which places and scratch tables an attempt may leave behind, should it die. Nothing of it may be written before. */
export async function recordAttempt(
  { engine, target, keys, signal }: Pick<RunContext, 'engine' | 'target' | 'keys' | 'signal'>,
  attempt: Attempt,
  label?: string,
): Promise<void> {
  const record: AttemptRecord = {
    version: 1,
    engine: engine.name,
    data: attempt.dataPrefix,
    stage: attempt.stagePrefix,
    scratch: attempt.scratchName,
    quarantine: attempt.quarantineKey,
  }
  const key = keys.attempt(label === undefined ? attempt : { ...attempt, seq: label })
  await target.put(key, JSON.stringify(record), { contentType: 'application/json', ...(signal && { signal }) })
}

/**
 * How long an attempt may take to its commit. Garbage collection takes what no commit names after twice as long, so the two can not meet:
 * not even when a process was stopped in between, as S3 refuses a request whose signature is older than 15 minutes.
 */
export const maxAttemptMs: number = 12 * 3_600_000

/** Refuses to commit what garbage collection may already be about to take. */
export function checkAge(startedAt: number, window: Window): void {
  const age = performance.now() - startedAt
  if (age <= maxAttemptMs) return
  throw new PipeError(
    'PIPE_COMPACT_ATTEMPT_OLD',
    `The attempt at window ${window.id} took ${Math.round(age / 60_000)} minutes.`,
    {
      hint: 'Its files may be collected as garbage, so it is not committed; the next run tries again.',
      retryable: true,
      details: { window: window.id },
    },
  )
}

/** Puts the rows of late or overwritten objects aside: one entry an object. The objects themselves stay where they are. */
async function putAside(job: EngineJob, plan: PlanRecord): Promise<EngineResult> {
  const { compaction, source, quarantine, signal } = job
  const { table } = compaction
  const scannerOf = lineScanners(table)
  const nothing = { takeBytes() {}, takeRow() {}, takeUnreadable() {} }
  const accounts: InputAccount[] = []
  const dir = await mkdtemp(join(tmpdir(), 'pipe-aside-'))
  try {
    for await (const file of fetchInOrder(source, plan.inputs, dir, signal)) {
      const { rows } = await scanFile(file, table, compaction, scannerOf, nothing, signal)
      const reason = 'the object came, or was overwritten, after its window was committed'
      if (rows > 0) quarantine.add(unreadableRow({ file: file.name, reason, rows }))
      accounts.push({ key: plan.inputs[accounts.length]!.key, rows, quarantinedRows: rows })
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
  return { outputs: [], accounts }
}
