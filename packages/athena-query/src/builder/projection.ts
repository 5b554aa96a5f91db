import { ConfigError, parseLocation, type S3Location, type Table } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { identifier, joinSql, type SqlFragment, sql } from '../sql'

/** Options of {@link projectionSql}. */
export interface ProjectionOptions {
  /** The folder of the table; partitions lie below it as `dt=…/hour=…/`. */
  readonly location: S3Location
  /** First day that has data, `2026-01-01`. Days up to today are projected. */
  readonly from: string
  /** Name of the table. Default: the name of the contract. */
  readonly name?: string | undefined
}

/**
 * The statement that makes Athena work out the partitions of a table from its contract instead of looking them up: no ADD PARTITION is needed
 * any more, and partitions of the catalogue are no longer looked at.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`, `PIPE_LOCATION` or `PIPE_ATHENA_NAME` for options that can never work.
 * @see Athena user guide, "Set up partition projection"
 * @example
 * ```ts
 * await athena.execute(projectionSql(deviceLogs, { location: 's3://lake/raw/', from: '2026-01-01' }))
 * ```
 */
export function projectionSql(table: Table, options: ProjectionOptions): SqlFragment {
  checkOptions('projectionSql', options, { required: ['location', 'from'], optional: ['name'] })
  const { location, from } = options
  parseLocation(location)
  if (!/^\d{4}-\d{2}-\d{2}$/.test(from)) {
    throw new ConfigError(`projectionSql: from ${JSON.stringify(from)} is no day.`, { hint: "Write it like '2026-01-01'." })
  }
  const names = table.partitions.columns
  const properties: Record<string, string> = {
    'projection.enabled': 'true',
    'projection.dt.type': 'date',
    'projection.dt.format': 'yyyy-MM-dd',
    'projection.dt.range': `${from},NOW`,
    'projection.dt.interval': '1',
    'projection.dt.interval.unit': 'DAYS',
    ...(names.includes('hour') && {
      'projection.hour.type': 'integer',
      'projection.hour.range': '0,23',
      'projection.hour.digits': '2',
    }),
    // Must name every partition column, and end in a slash.
    'storage.location.template': `${location}${names.map((name) => `${name}=\${${name}}/`).join('')}`,
  }
  const pairs = Object.entries(properties).map(([key, value]) => sql`${key} = ${value}`)
  return sql`ALTER TABLE ${identifier(options.name ?? table.name)} SET TBLPROPERTIES (${joinSql(pairs)})`
}
