import { ConfigError } from '@pipe/core'
import type { LiteralValue } from '../literal'
import { identifier, isFragment, joinSql, type SqlFragment, sql, sqlError, unsafeRaw } from '../sql'

/**
 * `CREATE OR REPLACE VIEW … AS …`.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_NAME` or `PIPE_ATHENA_SQL`.
 * @example
 * ```ts
 * await athena.execute(createViewSql('busy_devices', sql`SELECT device_name FROM ${deviceLogs} GROUP BY 1`))
 * ```
 */
export function createViewSql(name: string, query: SqlFragment): SqlFragment {
  return sql`CREATE OR REPLACE VIEW ${identifier(name)} AS\n${checkQuery('createViewSql', query)}`
}

/** `DROP VIEW IF EXISTS …`. */
export function dropViewSql(name: string): SqlFragment {
  return sql`DROP VIEW IF EXISTS ${identifier(name)}`
}

/**
 * `PREPARE … FROM …`: a statement kept in the workgroup. Its parameters are question marks in the text.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_NAME` for a name that Athena refuses.
 * @example
 * ```ts
 * await athena.execute(prepareSql('of_device', sql`SELECT * FROM ${deviceLogs} WHERE device_name = ?`))
 * const query = athena.query(executeSql('of_device', ['d1']), { returns: deviceLogs.columns })
 * ```
 */
export function prepareSql(name: string, query: SqlFragment): SqlFragment {
  return sql`PREPARE ${preparedName(name)} FROM\n${checkQuery('prepareSql', query)}`
}

/** `EXECUTE … USING …`: the values become literals in the order of the question marks. */
export function executeSql(name: string, values: readonly LiteralValue[] = []): SqlFragment {
  if (values.length === 0) return sql`EXECUTE ${preparedName(name)}`
  return sql`EXECUTE ${preparedName(name)} USING ${joinSql(values.map((value) => sql`${value}`))}`
}

/** `DEALLOCATE PREPARE …`. */
export function deallocateSql(name: string): SqlFragment {
  return sql`DEALLOCATE PREPARE ${preparedName(name)}`
}

/** Not quoted, as the name is one of the API of prepared statements too: its letters are the ones that CreatePreparedStatement takes. */
function preparedName(name: string): SqlFragment {
  if (typeof name !== 'string' || !/^[a-zA-Z_][a-zA-Z0-9_]{0,255}$/.test(name)) {
    throw new ConfigError(`${JSON.stringify(name)} cannot name a prepared statement.`, {
      code: 'PIPE_ATHENA_NAME',
      hint: 'Use letters, digits and underscore.',
    })
  }
  return unsafeRaw(name)
}

function checkQuery(where: string, query: SqlFragment): SqlFragment {
  if (!isFragment(query))
    throw sqlError(`${where}: the query is not a fragment of the sql tag.`, { hint: 'Write sql`SELECT …`.' })
  return query
}
