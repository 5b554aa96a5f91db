import type { LiveSuite } from './check'

/** US dollars, us-east-1, list prices of November 2026: S3 requests a thousand, Athena a query of the least 10 MB at 5 $ a TB. */
const prices = { thousandPuts: 0.005, thousandGets: 0.0004, query: (10 / 1_000_000) * 5 }

/** What a run costs at most. */
export function estimateDollars(suites: readonly LiveSuite[]): number {
  return suites.reduce(
    (sum, { cost }) =>
      sum + (cost.puts / 1000) * prices.thousandPuts + (cost.gets / 1000) * prices.thousandGets + cost.queries * prices.query,
    0,
  )
}
