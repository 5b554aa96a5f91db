import { randomUUID } from 'node:crypto'
import { ConfigError, quoteIdentifier, type S3Location } from '@pipe/core'
import { sqlError } from '../sql'
import { hasTopLevelOrder, keywordOf } from '../statement'
import { isNested, type Returns } from './row-plan'

/** How the rows of a query come. */
export type ResultRoute = 'pages' | 'file' | 'unload'

/** What decides about it before the query runs. */
export interface RouteOptions {
  /** How the rows come. Default `'auto'`. */
  readonly route?: ResultRoute | 'auto' | undefined
  /** `'json'`: nested columns are cast to JSON in the statement, so that the result holds their values. */
  readonly nested?: 'json' | undefined
}

/** The statement that is sent for a query. */
export interface QueryStatement {
  readonly text: string
  /** What its rows come by. `auto`: decided when it has run. */
  readonly route: ResultRoute | 'auto'
  readonly why: string
  /** The folder that is unloaded to. */
  readonly target?: string
}

/**
 * Decides what is sent: the statement itself, with its nested values as JSON, or an UNLOAD of it.
 *
 * UNLOAD when `route` says so, or when `returns` declares nested columns, whose values have no text form that could be read back. Each
 * UNLOAD has a folder of its own below the output location.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_SQL` when the statement cannot be wrapped, `PIPE_CONFIG` when there is no place to unload to.
 */
export function queryStatement(
  text: string,
  returns: Returns | 'text',
  options: RouteOptions,
  output: S3Location | undefined,
): QueryStatement {
  const { route = 'auto', nested } = options
  if (!['auto', 'pages', 'file', 'unload'].includes(route)) {
    throw new ConfigError(`query: ${JSON.stringify(route)} is no route.`, { hint: "Use 'auto', 'pages', 'file' or 'unload'." })
  }
  if (nested !== undefined && nested !== 'json')
    throw new ConfigError(`query: nested can only be 'json', not ${JSON.stringify(nested)}.`)
  const hasNested = returns !== 'text' && Object.values(returns).some(({ type }) => isNested(type))
  if (nested === 'json') {
    if (!hasNested) throw new ConfigError('query: nested is given, but "returns" has no nested column.')
    if (route === 'unload')
      throw new ConfigError("query: nested: 'json' and route: 'unload' exclude each other; UNLOAD keeps nested values.")
    return { text: asJson(text, returns), route, why: 'asked for' }
  }
  if (route === 'unload' || (route === 'auto' && hasNested)) {
    if (returns === 'text') throw new ConfigError("query: an UNLOAD needs declared columns; returns: 'text' has none.")
    return { ...asUnload(text, output), route: 'unload', why: route === 'unload' ? 'asked for' : 'returns has nested columns' }
  }
  return { text, route, why: 'asked for' }
}

/** The statement of an execution that was submitted before. The folder of an UNLOAD stands in it. */
export function resumedStatement(text: string, route: 'auto' | 'pages' | 'file'): QueryStatement {
  if (keywordOf(text) !== 'UNLOAD') return { text, route, why: 'asked for' }
  const target = /\)\s*TO\s+'((?:[^']|'')*)'\s*WITH\s*\([^)]*\)\s*$/i.exec(text)?.[1]?.replaceAll("''", "'")
  if (target === undefined) throw sqlError('resume: the UNLOAD does not name its folder.')
  return { text, route: 'unload', why: 'it is an UNLOAD', target }
}

function asUnload(text: string, output: S3Location | undefined): { text: string; target: string } {
  if (output === undefined) {
    throw new ConfigError('query: UNLOAD needs a place for its files.', {
      hint: "Give createAthena({ output: 's3://bucket/results/' }), or ask for nested: 'json'.",
    })
  }
  checkWrappable(text, 'UNLOAD keeps no order of rows')
  const target = `${output}unload/${randomUUID()}/`
  // `output` is a place in S3 (checked by createAthena), the rest is ours.
  return {
    text: `UNLOAD (\n${text}\n) TO '${target.replaceAll("'", "''")}' WITH (format = 'PARQUET', compression = 'SNAPPY')`,
    target,
  }
}

function asJson(text: string, returns: Returns): string {
  checkWrappable(text, 'a subquery keeps no order of rows')
  const columns = Object.entries(returns).map(([name, { type }]) => {
    const quoted = quoteIdentifier(name, 'trino', 'column')
    return isNested(type) ? `CAST(${quoted} AS JSON) AS ${quoted}` : quoted
  })
  return `SELECT ${columns.join(', ')} FROM (\n${text}\n)`
}

function checkWrappable(text: string, orderProblem: string): void {
  const keyword = keywordOf(text)
  if (!['SELECT', 'WITH', 'VALUES', 'TABLE'].includes(keyword)) {
    throw sqlError(`query: only a query can be wrapped, not ${keyword}.`, {
      hint: "Read it by route: 'pages', without nested columns.",
    })
  }
  if (hasTopLevelOrder(text)) {
    throw sqlError(`query: the statement has an ORDER BY, but ${orderProblem}.`, {
      hint: "Leave it out, or select CAST(x AS JSON) AS x yourself and read it by route: 'file'.",
    })
  }
}
