import { AthenaFailure } from '../query-engine'
import { readRuntimeError } from './native/failure'

/**
 * An error of DuckDB as Athena would name it. Text of DuckDB is not passed on: it may hold our SQL or paths of this machine.
 */
export function runtimeFailure(error: unknown): AthenaFailure {
  if (error instanceof AthenaFailure) return error
  const text = error instanceof Error ? error.message : String(error)
  const own = readRuntimeError(text)
  if (own !== undefined) {
    if (own.startsWith('NOT_SUPPORTED_LOCALLY: ')) {
      return new AthenaFailure(`${own} is not known to behave as on Athena, so the local Athena refuses it.`, {
        category: 2,
        type: 1007,
        cause: error,
      })
    }
    return new AthenaFailure(own, { category: 2, type: 1006, cause: error })
  }
  const [code, message, options] = classify(text)
  return new AthenaFailure(`${code}: ${message}`, { ...options, cause: error })
}

type Classified = readonly [string, string, { category: 1 | 2 | 3; type: number }]

const user = { category: 2, type: 1006 } as const

function classify(text: string): Classified {
  const overflow = /Overflow in (addition|subtraction|multiplication|division) of (\w+) \((-?\d+) [+*/-] (-?\d+)\)/.exec(text)
  if (overflow !== null)
    return [
      'NUMERIC_VALUE_OUT_OF_RANGE',
      `${typeName(overflow[2])} ${overflow[1]} overflow: ${overflow[3]}, ${overflow[4]}`,
      user,
    ]
  if (/with value '?-?nan'? can't be cast/i.test(text))
    return ['INVALID_CAST_ARGUMENT', 'Cannot cast NaN to a number without one', user]
  if (/Failed to cast decimal value|Could not cast value .* to DECIMAL/.test(text))
    return ['NUMERIC_VALUE_OUT_OF_RANGE', 'Value out of range', user]
  if (/^Out of Range Error|^Conversion Error.*(?:out of range|can't be cast because the value)/s.test(text))
    return ['NUMERIC_VALUE_OUT_OF_RANGE', 'Value out of range', user]
  if (/^Conversion Error/.test(text))
    return ['INVALID_CAST_ARGUMENT', 'Cannot cast a value to the type of its column or expression', user]
  if (/More than one row returned by a subquery/.test(text))
    return ['SUBQUERY_MULTIPLE_ROWS', 'Scalar sub-query has returned multiple rows', user]
  if (/^Out of Memory Error/.test(text))
    return ['EXCEEDED_LOCAL_MEMORY_LIMIT', 'Query exceeded the memory limit of the local Athena', { category: 2, type: 2 }]
  if (/^(?:IO|HTTP|Permission) Error/.test(text))
    return ['HIVE_CANNOT_OPEN_SPLIT', 'Error opening a file of the table', { category: 2, type: 1007 }]
  if (/^Invalid Input Error/.test(text))
    return ['HIVE_BAD_DATA', 'A file of the table holds data that does not fit its definition', { category: 2, type: 1007 }]
  if (/interrupted/i.test(text)) return ['USER_CANCELED', 'Query was cancelled', { category: 2, type: 1011 }]
  return ['GENERIC_INTERNAL_ERROR', 'The local Athena failed on this query', { category: 1, type: 100 }]
}

const names: Readonly<Record<string, string>> = { INT8: 'tinyint', INT16: 'smallint', INT32: 'integer', INT64: 'bigint' }

function typeName(duck: string | undefined): string {
  return names[duck ?? ''] ?? 'number'
}
