import type { ObjectStore, Window } from '@pipe/core'
import { stampOf } from '@pipe/core/internal'
import type { NextBatch } from './chain'
import type { Compaction } from './define'
import { mapBounded } from './engine/map-bounded'
import { SourceChangedError, stateError } from './errors'
import { type PlannedInput, type PlanRecord, readPlan, type StateKeys } from './state'

/**
 * Plans the given batch as the next sequence number of a window, create-only. When a plan is there already (another process, or an
 * earlier run that died), that one counts: all attempts do identical work, and what it does not name comes with the next number.
 *
 * @param stamps reads the producer's row count of each object (one HEAD an object), for engines that do not read the objects themselves.
 * @returns the plan that counts, and whether it was made here.
 * @throws {@link SourceChangedError} when an object is gone or overwritten since it was listed.
 */
export async function ensurePlan(
  compaction: Compaction,
  stores: { readonly source: ObjectStore; readonly target: ObjectStore },
  keys: StateKeys,
  work: { readonly window: Window; readonly seq: number; readonly batch: NextBatch },
  options: { readonly stamps: boolean; readonly signal: AbortSignal | undefined },
): Promise<{ readonly plan: PlanRecord; readonly isOurs: boolean }> {
  const { window, seq, batch } = work
  const planned = batch.files.map(({ key, etag, size }): PlannedInput => ({ key, etag, size }))
  const inputs = options.stamps ? await withStamps(stores.source, planned, options.signal) : planned
  const plan: PlanRecord = {
    version: 1,
    table: compaction.table.name,
    window: window.id,
    seq,
    ...(batch.mode !== 'append' && { mode: batch.mode }),
    ...(batch.replaces.length > 0 && { replaces: batch.replaces }),
    inputs,
  }
  const key = keys.plan(window.id, seq)
  const { outcome } = await stores.target.putIfAbsent(key, JSON.stringify(plan), {
    contentType: 'application/json',
    ...(options.signal && { signal: options.signal }),
  })
  if (outcome === 'created') return { plan, isOurs: true }
  const adopted = await readPlan(stores.target, key, options.signal)
  if (adopted.table !== compaction.table.name || adopted.window !== window.id || adopted.seq !== seq) {
    throw stateError(stores.target.uri(key), `is a plan of ${adopted.table} ${adopted.window}-${adopted.seq}`)
  }
  return { plan: adopted, isOurs: false }
}

/** The inputs with the row counts their producer stamped, where it did. */
export function withStamps(
  source: ObjectStore,
  inputs: readonly PlannedInput[],
  signal: AbortSignal | undefined,
): Promise<PlannedInput[]> {
  return mapBounded(inputs, 32, async (input) => {
    if (input.rows !== undefined) return input
    const head = await source.head(input.key, signal ? { signal } : {})
    if (head?.etag !== input.etag) throw new SourceChangedError(source.uri(input.key), input.etag, head?.etag)
    const stamp = stampOf(head.metadata)
    return stamp ? { ...input, rows: stamp.rows } : input
  })
}
