import { createHash, randomUUID } from 'node:crypto'
import {
  type ResultReuseConfiguration,
  StartQueryExecutionCommand,
  type StartQueryExecutionCommandInput,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { anySignal, ConfigError, type Duration, durationMs, PipeError } from '@pipe/core'
import type { Connection } from './connection'
import { maxStatementBytes } from './render'
import { repeat } from './request'
import type { RunOptions } from './run-options'
import type { Admitted } from './scheduler'

/**
 * Submits a statement when a slot is free. Every attempt carries the same token, so that a lost reply never leads to a second execution.
 *
 * @param attempt 0, or how often the statement was run before: each run has a token of its own.
 */
export async function submit(
  connection: Connection,
  statement: string,
  options: RunOptions,
  around: { readonly signal: AbortSignal; readonly attempt: number; onPause(): void },
): Promise<Admitted<string>> {
  const { signal, onPause } = around
  const command = {
    ...(await placeOf(connection, statement, options, signal)),
    ClientRequestToken: tokenOf(statement, options.idempotencyKey, around.attempt),
  }
  return connection.scheduler.submit({
    lane: connection.workgroup,
    limit: connection.limit,
    signal,
    onPause,
    attempt: async () => {
      const answer = await connection.client.send(new StartQueryExecutionCommand(command))
      if (!answer.QueryExecutionId) throw new PipeError('PIPE_ATHENA_UNAVAILABLE', 'Athena answered without an execution id.')
      return answer.QueryExecutionId
    },
  })
}

/** Submits a statement and does not follow it. It holds no slot of this client; one of the account it does. */
export async function submitOnly(connection: Connection, statement: string, options: RunOptions): Promise<string> {
  checkStatement(statement)
  connection.ledger.checkBudget()
  const signal = anySignal(options.signal, connection.closing) as AbortSignal
  const work = submit(connection, statement, options, { signal, attempt: 0, onPause: () => undefined })
  connection.track(work)
  const { value, release } = await work
  release()
  return value
}

/**
 * What is sent beside the token. No place is named to a workgroup that decides it by itself: one with managed results answers with an error to any,
 * and one that enforces its settings ignores it. A caller who may not read the workgroup names the place.
 */
async function placeOf(
  connection: Connection,
  statement: string,
  options: RunOptions,
  signal: AbortSignal,
): Promise<StartQueryExecutionCommandInput> {
  const { workgroup, output, expectedBucketOwner } = connection
  const database = options.database ?? connection.database
  const reuse = reuseOf(options.reuse)
  const settings = output === undefined && reuse === undefined ? undefined : await connection.workgroupSettings(signal)
  if (reuse !== undefined && settings?.managed) {
    throw new ConfigError(`reuse: Athena manages the results of workgroup ${workgroup}, and does not reuse those.`, {
      hint: 'Leave reuse out, or use a workgroup with an output location.',
    })
  }
  const ownPlace = output !== undefined && !settings?.enforced && !settings?.managed
  return {
    QueryString: statement,
    WorkGroup: workgroup,
    ...(database === undefined ? {} : { QueryExecutionContext: { Database: database } }),
    ...(ownPlace && {
      ResultConfiguration: {
        OutputLocation: output,
        ...(expectedBucketOwner === undefined ? {} : { ExpectedBucketOwner: expectedBucketOwner }),
      },
    }),
    ...(reuse && { ResultReuseConfiguration: reuse }),
  }
}

/** The longest age of a result that Athena reuses. */
const maxReuseMinutes = 7 * 24 * 60

function reuseOf(maxAge: Duration | undefined): ResultReuseConfiguration | undefined {
  if (maxAge === undefined) return undefined
  const minutes = durationMs(maxAge) / 60_000
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > maxReuseMinutes) {
    throw new ConfigError(`reuse: ${maxAge} is not a whole number of minutes from 1 minute to 7 days.`)
  }
  return { ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: minutes } }
}

/** The token that makes a repeated submission the same execution: random, or made from the caller's key, the statement and the attempt. */
export function tokenOf(statement: string, idempotencyKey: string | undefined, attempt = 0): string {
  if (idempotencyKey === undefined) return randomUUID()
  const hash = createHash('sha256').update(idempotencyKey).update('\0').update(statement)
  if (attempt > 0) hash.update(`\0${attempt}`)
  return hash.digest('hex')
}

/** Stops an execution on the server, with a patience of its own. */
export async function stopExecution({ client }: Connection, id: string): Promise<void> {
  await repeat(
    'StopQueryExecution',
    (abortSignal) => client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }), abortSignal ? { abortSignal } : {}),
    { signal: AbortSignal.timeout(60_000), id },
  )
}

/** @throws {@link PipeError} `PIPE_ATHENA_QUERY_TOO_LONG`, {@link ConfigError} `PIPE_ATHENA_SQL` for what Athena can never take. */
export function checkStatement(statement: string): void {
  if (statement.trim() === '') throw new ConfigError('The statement is empty.', { code: 'PIPE_ATHENA_SQL' })
  const bytes = Buffer.byteLength(statement)
  if (bytes > maxStatementBytes) {
    throw new PipeError(
      'PIPE_ATHENA_QUERY_TOO_LONG',
      `The statement has ${bytes} bytes in UTF-8; Athena takes ${maxStatementBytes}. It was not sent.`,
      { hint: 'Split it, or put long lists into a table.', details: { bytes, maxBytes: maxStatementBytes } },
    )
  }
}
