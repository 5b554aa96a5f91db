import type { QueryExecution } from '@aws-sdk/client-athena'
import { PipeError } from '@pipe/core'
import { type AthenaFailureKind, failureKindOf } from './failure-kind'

/** Where and why a statement failed, as data. */
export interface AthenaFailureDetails {
  /** Id of the execution; absent when Athena refused the statement before it ran. */
  readonly id?: string | undefined
  /** AthenaError.ErrorCategory: 1 system, 2 user, 3 other. */
  readonly category?: number | undefined
  /** AthenaError.ErrorType (Athena user guide, "Error type reference"). */
  readonly type?: number | undefined
  /** What kind of failure that is. Absent when the statement did not run. */
  readonly kind?: AthenaFailureKind | undefined
  /** What Athena said, word for word. */
  readonly reason?: string | undefined
  /** 1-based place of a syntax or name error in the statement. */
  readonly line?: number | undefined
  readonly column?: number | undefined
  /** Of a refused permission. */
  readonly action?: string | undefined
  readonly principal?: string | undefined
  readonly resource?: string | undefined
}

/**
 * A statement that Athena did not run to its end. `code`:
 *
 * - `PIPE_ATHENA_SYNTAX`, `PIPE_ATHENA_NOT_FOUND` (table, column, database): wrong statement, with `details.line` and `column`;
 * - `PIPE_IAM_DENIED`: a permission is missing and Athena names it (`details.action`, `principal`, `resource`);
 * - `PIPE_ATHENA_DENIED`: a permission is missing and Athena does not say which;
 * - `PIPE_ATHENA_CANCELLED`: somebody stopped it, or the workgroup's limit of scanned bytes did;
 * - `PIPE_ATHENA_FAILED`: everything else. `retryable` is AthenaError.Retryable, else by its number.
 */
export class AthenaQueryError extends PipeError<AthenaFailureDetails> {
  constructor(
    code: string,
    message: string,
    options: { hint?: string | undefined; cause?: unknown; retryable?: boolean | undefined; details: AthenaFailureDetails },
  ) {
    super(code, message, options)
    this.name = 'AthenaQueryError'
  }
}

const hints: readonly (readonly [RegExp, string])[] = [
  [/HIVE_PATH_ALREADY_EXISTS/, 'The folder of the new table holds objects: give each attempt a folder of its own.'],
  [/HIVE_TOO_MANY_OPEN_PARTITIONS/, 'One statement writes at most 100 partitions and buckets: split it.'],
  [
    /HIVE_BAD_DATA/,
    'A file does not fit the type of the column: compare file and table, or read the column as string with try_cast.',
  ],
  [
    /HIVE_CURSOR_ERROR/,
    'A file could not be read to its end: it is cut, changed while it was read, or not of the format of the table.',
  ],
  [/HIVE_CANNOT_OPEN_SPLIT/, 'A file could not be opened: it was deleted during the query, or reading it is not allowed.'],
  [/HIVE_INVALID_PARTITION_VALUE/, 'A partition value does not fit the type of its column.'],
  [/HIVE_PARTITION_SCHEMA_MISMATCH/, 'A partition was created with other column types than the table: drop and add it again.'],
  [/HIVE_INVALID_METADATA/, 'The table has columns that the query engine refuses: names used twice, or a type it does not know.'],
  [
    /HIVE_UNKNOWN_ERROR/,
    'Often a table whose location, SerDe or partitions are wrong: compare SHOW CREATE TABLE with the files.',
  ],
  [/HIVE_FILE_NOT_FOUND/, 'A file was deleted while the query ran, or a manifest names one that is gone.'],
  [
    /HIVE_FILESYSTEM_ERROR|HIVE_WRITER_(?:OPEN|CLOSE|DATA)_ERROR/,
    'S3 refused a read or write: check the permissions and the key of the bucket.',
  ],
  [/HIVE_MISSING_DATA/, 'The location of a partition does not exist: drop the partition, or restore its files.'],
  [/HIVE_EXCEEDED_PARTITION_LIMIT/, 'The query reads too many partitions: filter by a partition column.'],
  [/HIVE_COLUMN_ORDER_MISMATCH/, 'Partition columns must be the last of the SELECT, in the order of partitioned_by.'],
  [/HIVE_INVALID_BUCKET_FILES/, 'The files of a bucketed table are not as many as its buckets: write the table anew.'],
  [/HIVE_DATABASE_LOCATION_ERROR|HIVE_TABLE_LOCATION_ERROR/, 'The location is no folder in S3 that may be used.'],
  [/TOO_MANY_OPEN_PARTITIONS/, 'One statement writes at most 100 partitions and buckets: split it.'],
  [/ICEBERG_COMMIT_ERROR/, 'Another statement changed the table at the same time: run it again.'],
  [
    /ExpiredToken|security token included in the request is expired/i,
    'The session has run out: get new credentials, then resume(id) what was submitted.',
  ],
  [/HIVE_METASTORE_ERROR/, 'The catalogue refused: check the table properties (partition projection) and the glue permissions.'],
  [/HIVE_UNSUPPORTED_FORMAT/, 'The files are in a format or compression that the table does not read.'],
  [/EXCEEDED_MEMORY_LIMIT|Query exhausted resources/i, 'Read fewer columns or partitions, or aggregate in two steps.'],
  [/GENERIC_INTERNAL_ERROR/, 'Athena could not name the cause: check the types of partition columns and the files.'],
  [
    /Bytes scanned limit was exceeded/i,
    'The limit of scanned bytes of the workgroup stopped it: name fewer partitions or columns.',
  ],
  [/No output location provided/i, "Give createAthena({ output: 's3://bucket/results/' }) or set one in the workgroup."],
]

/** The error of an execution that ended FAILED or CANCELLED. */
export function failureOf(execution: QueryExecution): AthenaQueryError {
  const { Status: status, QueryExecutionId: id } = execution
  const error = status?.AthenaError
  const reason = status?.StateChangeReason ?? error?.ErrorMessage ?? 'Athena gave no reason.'
  const { kind, retryable } = failureKindOf(error?.ErrorType, error?.ErrorCategory)
  const details = { id, category: error?.ErrorCategory, type: error?.ErrorType, kind, reason }
  if (status?.State === 'CANCELLED') {
    return new AthenaQueryError('PIPE_ATHENA_CANCELLED', `Execution ${id} was cancelled: ${dot(reason)}`, {
      details,
      hint: hintFor(reason),
    })
  }
  return classify(`Execution ${id} failed`, reason, { details, retryable: error?.Retryable ?? retryable })
}

/** The error of a refused API call: a syntax error that Athena sees at once, a missing permission, or another refusal. */
export function refusalOf(error: unknown, call: string, id?: string): AthenaQueryError | PipeError {
  const { name = '', message = String(error) } = error as Error
  if (/idempotent parameters do not match/i.test(message)) {
    return new PipeError(
      'PIPE_ATHENA_IDEMPOTENCY',
      'The idempotency key was used before for the same statement with another database, workgroup or output.',
      { cause: error, hint: 'Put what differs into the key.', details: { id } },
    )
  }
  return classify(`Athena refused ${call}`, message, {
    cause: error,
    details: { id, reason: message },
    denied: /AccessDenied|NotAuthorized|Unauthorized|UnrecognizedClient|InvalidClientTokenId|ExpiredToken|InvalidSignature/i.test(
      name,
    ),
  })
}

function classify(
  what: string,
  reason: string,
  options: { cause?: unknown; details: AthenaFailureDetails; retryable?: boolean; denied?: boolean },
): AthenaQueryError {
  const { denied = false, ...rest } = options
  const permission = permissionOf(reason)
  if (permission) {
    const { principal, action, resource } = permission
    const on = resource === undefined ? '' : ` on ${resource}`
    return new AthenaQueryError('PIPE_IAM_DENIED', `${principal} may not ${action}${on} (${what}).`, {
      ...rest,
      details: { ...rest.details, ...permission },
      hint: `Grant ${action}${on} in the policy of ${principal}.`,
    })
  }
  const place = /\bline (\d+):(\d+)\b/.exec(reason)
  const details = place ? { ...rest.details, line: Number(place[1]), column: Number(place[2]) } : rest.details
  const code = codeOf(reason, details)
  const deniedText = /access denied|permission denied|insufficient (?:lake formation )?permission|not authorized/i
  // Athena's text for an unknown column says "or requester is not authorized": what is wrong in the statement goes first.
  if (denied || (code === 'PIPE_ATHENA_FAILED' && deniedText.test(reason))) {
    return new AthenaQueryError('PIPE_ATHENA_DENIED', `${what}: ${dot(reason)}`, {
      ...rest,
      hint:
        hintFor(reason) ??
        'The caller needs the athena, glue and s3 actions of the statement: data, results and catalogue (see the README).',
    })
  }
  return new AthenaQueryError(code, `${what}: ${dot(reason)}`, { ...rest, details, hint: hintFor(reason) })
}

function codeOf(reason: string, details: AthenaFailureDetails): string {
  if (
    /\b(?:TABLE|COLUMN|SCHEMA|DATABASE|CATALOG|FUNCTION)_NOT_FOUND\b|does not exist|is not found|cannot be resolved|EntityNotFound/i.test(
      reason,
    )
  ) {
    return 'PIPE_ATHENA_NOT_FOUND'
  }
  if (/SYNTAX_ERROR|mismatched input|ParseException|extraneous input|no viable alternative|MALFORMED_QUERY/i.test(reason)) {
    return 'PIPE_ATHENA_SYNTAX'
  }
  return details.line === undefined ? 'PIPE_ATHENA_FAILED' : 'PIPE_ATHENA_SYNTAX'
}

/** "User: P is not authorized to perform: A on resource: R" of IAM, also inside longer texts. */
function permissionOf(reason: string): { principal: string; action: string; resource: string | undefined } | undefined {
  const match = /(?:User: )?(\S+) is not authorized to perform: ([\w-]+:\w+)(?: on (?:resource: ?)?"?([^\s",)]+))?/.exec(reason)
  if (!match) return undefined
  return { principal: match[1]!, action: match[2]!, resource: match[3]?.replace(/[.;]$/, '') }
}

function hintFor(reason: string): string | undefined {
  return hints.find(([pattern]) => pattern.test(reason))?.[1]
}

function dot(text: string): string {
  const trimmed = text.trim()
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`
}
