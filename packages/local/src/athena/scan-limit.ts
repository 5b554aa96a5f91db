import type { StatementContext } from './statement-context'

/** A query that would scan more than its workgroup allows. Athena cancels it, and bills what was scanned. */
export class ScanLimitExceeded extends Error {
  constructor() {
    super('Bytes scanned limit was exceeded')
    this.name = 'ScanLimitExceeded'
  }
}

/**
 * The context with the limit of its workgroup. What a query scans is known before its first row here, so it never begins. It is told either way.
 *
 * @see Athena User Guide, "Configure per-query data usage controls"
 */
export function withScanLimit(context: StatementContext): StatementContext {
  const { maxScannedBytes = Infinity } = context
  return {
    ...context,
    async engine() {
      const engine = await context.engine()
      return {
        ...engine,
        async compile(sql, options) {
          const query = await engine.compile(sql, options)
          context.onScan(query.scannedBytes)
          if (query.scannedBytes > maxScannedBytes) throw new ScanLimitExceeded()
          return query
        },
      }
    },
  }
}
