import { type QueryExecution, StatementType } from '@aws-sdk/client-athena'
import { PipeError } from '@pipe/core'

/** What Athena charges for a statement. */
export interface AthenaPrices {
  /** US dollars for {@link bytesPerTerabyte} scanned. */
  readonly dollarsPerTerabyte: number
  readonly bytesPerTerabyte: number
  /** A statement that scans less is billed as if it had scanned this much. */
  readonly minBytes: number
  /** Scanned bytes are rounded up to a multiple of this. */
  readonly roundUpToBytes: number
}

/**
 * Athena's price in most regions, as of November 2026: 5 dollars a terabyte, at least 10 MB a query, rounded up to a megabyte; not compared with a
 * bill. Powers of two, as in AWS's own examples. Capacity reservations are priced otherwise.
 *
 * @see https://aws.amazon.com/athena/pricing/
 */
export const athenaPrices: AthenaPrices = Object.freeze({
  dollarsPerTerabyte: 5,
  bytesPerTerabyte: 2 ** 40,
  minBytes: 10 * 2 ** 20,
  roundUpToBytes: 2 ** 20,
})

/** What {@link estimateDollars} looks at. */
export interface CostBasis {
  readonly scannedBytes: number
  /** `DDL` and `UTILITY` statements are free. Default `DML`. */
  readonly statementType?: string | undefined
  /** A reused result is free. Default false. */
  readonly reusedResult?: boolean | undefined
}

/**
 * What a statement that scanned this much costs, in US dollars. A cancelled one pays for what it scanned, a failed one nothing.
 *
 * @example
 * ```ts
 * estimateDollars({ scannedBytes: 3 * 2 ** 40 }) // 15
 * ```
 */
export function estimateDollars(basis: CostBasis, prices: AthenaPrices = athenaPrices): number {
  const { scannedBytes, statementType = StatementType.DML, reusedResult = false } = basis
  if (statementType !== StatementType.DML || reusedResult) return 0
  const rounded = Math.ceil(scannedBytes / prices.roundUpToBytes) * prices.roundUpToBytes
  return (Math.max(prices.minBytes, rounded) / prices.bytesPerTerabyte) * prices.dollarsPerTerabyte
}

/** What a client has spent so far. */
export interface AthenaSpending {
  /** Executions that were seen running or ended. */
  readonly executions: number
  readonly scannedBytes: number
  readonly estimatedDollars: number
}

/** Adds up what the executions of one client cost. */
export interface Ledger {
  /** Before a statement is sent. @throws {@link PipeError} `PIPE_ATHENA_BUDGET` when nothing is left. */
  checkBudget(): void
  /**
   * Told of each look at an execution.
   *
   * @throws {@link PipeError} `PIPE_ATHENA_SCAN_LIMIT` or `PIPE_ATHENA_BUDGET` when it goes on and has scanned too much.
   */
  seen(execution: QueryExecution, maxScannedBytes: number | undefined): void
  /** Told when an execution is followed no longer. */
  left(id: string): void
  spending(): AthenaSpending
}

/** @see {@link Ledger} */
export function createLedger(prices: AthenaPrices, budgetDollars: number | undefined): Ledger {
  const byId = new Map<string, { bytes: number; dollars: number }>()
  // Of executions that are followed no longer: their ids are not needed any more.
  const ended = { executions: 0, bytes: 0, dollars: 0 }

  function spending(): AthenaSpending {
    const open = [...byId.values()]
    return {
      executions: ended.executions + open.length,
      scannedBytes: open.reduce((sum, { bytes }) => sum + bytes, ended.bytes),
      estimatedDollars: open.reduce((sum, { dollars }) => sum + dollars, ended.dollars),
    }
  }

  function budgetError(id: string | undefined): PipeError {
    const spent = spending().estimatedDollars
    const what = id === undefined ? 'The statement was not sent' : `Execution ${id} is being stopped`
    return new PipeError(
      'PIPE_ATHENA_BUDGET',
      `${what}: this client has spent about $${spent.toFixed(4)} of its budget of $${budgetDollars}.`,
      {
        hint: 'Raise budgetDollars, or read fewer partitions and columns.',
        details: { id, estimatedDollars: spent, budgetDollars },
      },
    )
  }

  return {
    checkBudget() {
      if (budgetDollars !== undefined && spending().estimatedDollars >= budgetDollars) throw budgetError(undefined)
    },
    seen(execution, maxScannedBytes) {
      const id = execution.QueryExecutionId as string
      const cost = costOf(execution, prices)
      byId.set(id, cost)
      if (isEnded(execution)) return
      if (maxScannedBytes !== undefined && cost.bytes > maxScannedBytes) throw scanLimitError(id, cost.bytes, maxScannedBytes)
      if (budgetDollars !== undefined && spending().estimatedDollars > budgetDollars) throw budgetError(id)
    },
    left(id) {
      const cost = byId.get(id)
      if (!cost) return
      byId.delete(id)
      ended.executions++
      ended.bytes += cost.bytes
      ended.dollars += cost.dollars
    },
    spending,
  }
}

function isEnded({ Status: status }: QueryExecution): boolean {
  return status?.State === 'SUCCEEDED' || status?.State === 'FAILED' || status?.State === 'CANCELLED'
}

/** What an execution costs so far. One that has scanned nothing yet may still end free of charge. */
export function costOf(execution: QueryExecution, prices: AthenaPrices): { readonly bytes: number; readonly dollars: number } {
  const bytes = execution.Statistics?.DataScannedInBytes ?? 0
  const state = execution.Status?.State
  const free = state === 'FAILED' || (state !== 'SUCCEEDED' && bytes === 0)
  const dollars = free
    ? 0
    : estimateDollars(
        {
          scannedBytes: bytes,
          statementType: execution.StatementType,
          reusedResult: execution.Statistics?.ResultReuseInformation?.ReusedPreviousResult,
        },
        prices,
      )
  return { bytes, dollars }
}

function scanLimitError(id: string, scannedBytes: number, maxScannedBytes: number): PipeError {
  return new PipeError(
    'PIPE_ATHENA_SCAN_LIMIT',
    `Execution ${id} has scanned ${scannedBytes} bytes, more than maxScannedBytes ${maxScannedBytes}; it is being stopped.`,
    { hint: 'Name partitions and fewer columns, or raise the limit.', details: { id, scannedBytes, maxScannedBytes } },
  )
}
