import type { ObjectFiles } from '../s3/object-files'
import type { Execution } from './execution'
import { AthenaFailure } from './query-engine'

/**
 * The newest execution whose result may stand for that of `execution`, by the rules of the user guide ("Reuse query results"): a query of the same
 * text, workgroup, database, catalogue and result configuration that succeeded within the age asked for and whose result object is still there.
 *
 * Athena also takes queries that mean the same; here only the same text does. The caller must be the same, as what it may read is not looked at
 * again, and nothing whose value changes from call to call is reused.
 */
export function reusableExecution(
  execution: Execution,
  all: Iterable<Execution>,
  around: { readonly files: ObjectFiles; now(): number },
): Execution | undefined {
  const { request, statement } = execution
  const { reuseMaxAgeMs } = request
  if (reuseMaxAgeMs === undefined || statement instanceof AthenaFailure || statement.kind !== 'select') return undefined
  if (!isDeterministic(statement.sql)) return undefined
  let found: Execution | undefined
  for (const one of all) {
    if (one === execution || one.state !== 'SUCCEEDED' || one.reusedFrom !== undefined) continue
    if (around.now() - (one.completedAt as number) > reuseMaxAgeMs) continue
    if (sameKey(one) !== sameKey(execution)) continue
    const key = one.outcome?.resultKey
    if (key !== undefined && around.files.head(one.request.output.bucket, key) !== undefined) found = one
  }
  return found
}

function sameKey({ request: { query, parameters, catalog, database, workgroup, output, principal } }: Execution): string {
  const caller = [principal.account, principal.name]
  return JSON.stringify([query.trim(), parameters, catalog?.toLowerCase(), database?.toLowerCase(), workgroup, output, caller])
}

/** Functions and words whose value changes from one run to the next. */
const changing =
  /\b(?:now|rand|random|uuid|shuffle|tablesample|current_(?:date|time|timestamp|timezone|user)|localtime(?:stamp)?)\b/i

function isDeterministic(sql: string): boolean {
  return !changing.test(sql.replaceAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, ' '))
}
