import type { ObjectStore, Window } from '@pipe/core'
import type { Compaction } from './define'
import type { EngineOutput, EngineResult } from './engine/engine'
import { SourceChangedError, VerificationError } from './errors'
import { parquetRowCount } from './parquet-footer'
import { listWindow } from './select'
import type { CommittedInput, CommittedOutput, PlannedInput } from './state'

/** What was proven of an attempt before its commit. */
export interface VerifiedAttempt {
  readonly inputs: readonly CommittedInput[]
  readonly outputs: readonly CommittedOutput[]
  readonly inputRows: number
  readonly outputRows: number
  readonly quarantinedRows: number
  readonly duplicateRows?: number | undefined
}

/**
 * Proves an attempt from what stands on S3, not from what the engine says: rows of the output come from the footers of the Parquet files,
 * and together with the quarantined and the duplicate rows they must be the rows of the inputs. The sources must still be the planned versions.
 *
 * @throws {@link VerificationError} when rows do not add up: the attempt is given up.
 * @throws {@link SourceChangedError} when a source is gone or overwritten: the plan cannot be carried out.
 */
export async function verifyAttempt(
  compaction: Compaction,
  stores: { readonly source: ObjectStore; readonly target: ObjectStore },
  work: { readonly window: Window; readonly planned: readonly PlannedInput[]; readonly quarantinedRows: number },
  result: EngineResult,
  signal: AbortSignal | undefined,
): Promise<VerifiedAttempt> {
  const { window, planned } = work
  const [outputs] = await Promise.all([
    Promise.all(result.outputs.map((output) => readOutput(stores.target, output, signal))),
    checkSources(compaction, stores.source, window, planned, signal),
  ])
  const inputs = planned.map((input, i): CommittedInput => {
    const account = result.accounts[i]
    if (account?.key !== input.key) throw new Error(`The engine gave no account of ${input.key}.`)
    return { ...input, rows: account.rows, quarantinedRows: account.quarantinedRows }
  })
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
  const rows = {
    inputRows: sum(inputs.map((input) => input.rows)),
    outputRows: sum(outputs.map((output) => output.rows)),
    quarantinedRows: work.quarantinedRows,
  }
  const accounted = sum(inputs.map((input) => input.quarantinedRows))
  if (accounted !== rows.quarantinedRows) {
    throw new VerificationError(
      window.id,
      rows,
      `${rows.quarantinedRows} rows are in quarantine, the inputs account for ${accounted}.`,
    )
  }
  const { duplicateRows = 0 } = result
  const found = rows.outputRows + rows.quarantinedRows + duplicateRows
  if (found !== rows.inputRows) {
    const duplicates = duplicateRows > 0 ? `, ${duplicateRows} duplicate` : ''
    throw new VerificationError(
      window.id,
      rows,
      `${rows.inputRows} rows came in, but ${rows.outputRows} compacted${duplicates} and ${rows.quarantinedRows} quarantined are ${found}.`,
    )
  }
  return { inputs, outputs, ...rows, ...(duplicateRows > 0 && { duplicateRows }) }
}

/** Reads the footer of an output in the very version that the engine wrote. */
async function readOutput(target: ObjectStore, output: EngineOutput, signal: AbortSignal | undefined): Promise<CommittedOutput> {
  const { key, etag, bytes } = output
  return { key, etag, bytes, rows: await parquetRowCount(target, { key, etag, size: bytes }, signal) }
}

async function checkSources(
  compaction: Compaction,
  source: ObjectStore,
  window: Window,
  planned: readonly PlannedInput[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const now = new Map((await listWindow(compaction, source, window, signal)).map(({ key, etag }) => [key, etag]))
  for (const { key, etag } of planned) {
    const found = now.get(key)
    if (found !== etag) throw new SourceChangedError(source.uri(key), etag, found)
  }
}
