import { ConfigError } from './error'

/** Where a name stands: in a Hive DDL statement (backticks) or in a Trino query, CTAS, INSERT or view (double quotes). */
export type IdentifierDialect = 'hive' | 'trino'

/** What a name names. Columns may not hold a hyphen anywhere that Athena DDL has to spell them. */
export type IdentifierKind = 'database' | 'table' | 'column'

/**
 * Quotes one part of a name for the place where it stands. Each part is quoted by itself: `` `db`.`t` ``, never `` `db.t` ``.
 *
 * Athena allows letters, digits and underscore ("Names for tables, databases, and columns", Athena user guide). A hyphen works in
 * a query between double quotes and fails in DDL, so it is refused there with the reason.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_NAME`
 * @example
 * ```ts
 * quoteIdentifier('my-db', 'trino') // '"my-db"'
 * quoteIdentifier('my-db', 'hive')  // throws PIPE_ATHENA_NAME
 * ```
 */
export function quoteIdentifier(name: string, dialect: IdentifierDialect, kind: IdentifierKind = 'table'): string {
  checkIdentifier(name, kind)
  if (dialect === 'trino') return `"${name.replaceAll('"', '""')}"`
  if (!/^[a-z0-9_]+$/i.test(name)) {
    const what = name.includes('-')
      ? `a hyphen in a ${kind} name fails in Athena DDL`
      : `only letters, digits and underscore work in Athena DDL`
    throw new ConfigError(`${JSON.stringify(name)}: ${what}.`, {
      code: 'PIPE_ATHENA_NAME',
      hint: `Use ${name.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')}, or quote it with identifier(${JSON.stringify(name)}) in SELECT only.`,
      details: { name, kind, dialect },
    })
  }
  return `\`${name}\``
}

/** Quotes a dotted name part by part. */
export function quoteName(parts: readonly string[], dialect: IdentifierDialect): string {
  return parts.map((part, i) => quoteIdentifier(part, dialect, i === parts.length - 1 ? 'table' : 'database')).join('.')
}

/**
 * Refuses a name that no dialect can hold: empty, longer than 255 characters, or with a control character.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_NAME`
 */
export function checkIdentifier(name: string, kind: IdentifierKind): void {
  const problem =
    typeof name !== 'string' || name.length === 0
      ? 'is empty'
      : name.length > 255
        ? 'is longer than 255 characters'
        : /[\u0000-\u001f\u007f]/.test(name)
          ? 'holds a control character'
          : undefined
  if (problem)
    throw new ConfigError(`A ${kind} name ${problem}: ${JSON.stringify(String(name).slice(0, 40))}.`, {
      code: 'PIPE_ATHENA_NAME',
    })
}

/**
 * Refuses a column name that a table contract cannot use everywhere. Athena folds names to lower case, so an upper-case letter would
 * silently become another name.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_NAME`
 */
export function checkColumnName(name: string): void {
  checkIdentifier(name, 'column')
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) {
    throw new ConfigError(
      `${JSON.stringify(name)} cannot be a column name: Athena knows lower-case letters, digits and underscore, not starting with a digit.`,
      {
        code: 'PIPE_ATHENA_NAME',
        hint: `Use ${name.replaceAll(/[^A-Za-z0-9_]/g, '_').toLowerCase()}.`,
        details: { name },
      },
    )
  }
}
