import { PipeError } from '@pipe/core'
import type { NextBatch } from './chain'
import type { Compaction } from './define'
import type { Engine } from './engine/engine'

/** Prices in US dollars (us-east-1, November 2026). @see https://aws.amazon.com/s3/pricing/ and https://aws.amazon.com/athena/pricing/ */
export const prices: {
  readonly put: number
  readonly get: number
  readonly scannedByte: number
  readonly leastScannedBytes: number
} = {
  /** PUT, COPY, POST and LIST, each. */
  put: 0.000_005,
  /** GET and HEAD, each. */
  get: 0.000_000_4,
  /** Athena, each byte scanned. */
  scannedByte: 5 / 1e12,
  /** Athena bills each query for at least this many bytes. */
  leastScannedBytes: 10 * 1024 * 1024,
}

/** What a batch is expected to take. */
export interface Estimate {
  /** PUT and LIST requests to S3. */
  readonly puts: number
  /** GET and HEAD requests to S3, those for the data included. */
  readonly gets: number
  /** Bytes that Athena bills. */
  readonly scannedBytes: number
  readonly statements: number
  /** US dollars, for requests and scans; without storage and the time of the function. */
  readonly usd: number
}

/** Bytes that a query over so much data is billed for. */
export function billedBytes(bytes: number): number {
  return Math.max(prices.leastScannedBytes, bytes)
}

/** What a batch is expected to take, publication included. */
export function estimateBatch(compaction: Compaction, engine: Engine, batch: Pick<NextBatch, 'mode' | 'files'>): Estimate {
  const { files } = batch
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const work = batch.mode === 'quarantine' ? undefined : engine.estimate?.({ files: files.length, bytes })
  const { scannedBytes, statements } = work ?? { scannedBytes: 0, statements: 0 }
  // Plan, attempt, output, commit, marker, and the listing before the commit.
  const puts = 6 + (compaction.publish === 'manifest' ? 2 : 0)
  // The objects themselves (Athena reads them once a query), their stamps, and head and footer of the output.
  const reads = Math.max(1, work?.reads ?? 1)
  const gets = files.length * (reads + (engine.needsStamps ? 1 : 0)) + 2 + (compaction.publish === 'manifest' ? 1 : 0)
  const usd = puts * prices.put + gets * prices.get + scannedBytes * prices.scannedByte
  return { puts, gets, scannedBytes, statements, usd }
}

/** Limits of what a single batch may take. */
export interface CostLimits {
  /** US dollars, by {@link Estimate}. */
  readonly maxCostUsd?: number | undefined
  /** Bytes that Athena bills. */
  readonly maxScannedBytes?: number | undefined
}

/**
 * Refuses a batch that is expected to take more than allowed, before anything of it starts.
 *
 * @throws {@link PipeError} `PIPE_COMPACT_LIMIT`
 */
export function checkCost(compaction: Compaction, engine: Engine, batch: NextBatch, limits: CostLimits): void {
  const { maxCostUsd = Number.POSITIVE_INFINITY, maxScannedBytes = Number.POSITIVE_INFINITY } = limits
  const estimate = estimateBatch(compaction, engine, batch)
  const over =
    estimate.usd > maxCostUsd
      ? `is expected to cost $${estimate.usd.toPrecision(3)}, more than maxCostUsd = ${maxCostUsd}`
      : estimate.scannedBytes > maxScannedBytes
        ? `is expected to scan ${estimate.scannedBytes} bytes, more than maxScannedBytes = ${maxScannedBytes}`
        : undefined
  if (over === undefined) return
  throw new PipeError('PIPE_COMPACT_LIMIT', `A batch of ${batch.files.length} objects ${over}. Nothing of it was started.`, {
    hint: 'Look at compactor.plan({ at }), then raise the limit, take a shorter window, or use inProcessEngine for small windows.',
    details: { ...estimate },
  })
}
