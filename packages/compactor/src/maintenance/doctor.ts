import { randomUUID } from 'node:crypto'
import { type AthenaClient, GetWorkGroupCommand } from '@aws-sdk/client-athena'
import { GetBucketLifecycleConfigurationCommand, type LifecycleRule, S3Client } from '@aws-sdk/client-s3'
import { identifier, sql } from '@pipe/athena-query'
import { column, PipeError, parseLocation } from '@pipe/core'
import { checkOptions, environmentConfig } from '@pipe/core/internal'
import type { StateContext } from '../execute'
import { type MaintenanceOptions, maintenanceOptionNames, withState } from './context'

/** What {@link doctor} takes. */
export interface DoctorOptions extends MaintenanceOptions {
  /** For the settings of the workgroup. Without it they are not looked at. */
  readonly athenaClient?: AthenaClient | undefined
  /** Whether the Athena engine is to be used, which needs more than publishing does. Default `false`. */
  readonly usesAthenaEngine?: boolean | undefined
}

/** One thing that was looked at. */
export interface Finding {
  readonly name: string
  /** `unknown`: it could not be looked at. */
  readonly status: 'ok' | 'warning' | 'failed' | 'unknown'
  readonly text: string
  readonly hint?: string | undefined
}

/** What was found. */
export interface DoctorReport {
  /** Whether nothing failed. */
  readonly ok: boolean
  readonly findings: readonly Finding[]
}

/** How far the clock of this machine may be off before it is worth a word. */
const maxSkewMs = 60_000
/** Objects of the target that are looked at for foreign ones. */
const maxLooked = 1000

/**
 * Looks at everything that a compaction needs: rights on source and target (by using them on a probe object), create-only writes, foreign
 * objects in the target, the clock, lifecycle rules that would eat live data or leave parts of uploads, the tables, and the settings of the
 * workgroup. Writes and deletes one small object below `_pipe/`.
 */
export async function doctor(options: DoctorOptions): Promise<DoctorReport> {
  const optional = [...maintenanceOptionNames, 'athenaClient', 'usesAthenaEngine']
  checkOptions('doctor', options, { required: ['compaction'], optional })
  return withState(options, async (context) => {
    const client = options.client ?? new S3Client(environmentConfig())
    try {
      const findings = [
        await look('source', () => checkSource(context)),
        ...(await checkTarget(context)),
        await look('target prefix', () => checkForeign(context)),
        await look('lifecycle rules', () => checkLifecycle(context, client)),
        ...(options.athena === undefined
          ? []
          : [await look('tables', () => checkTables(context, options.usesAthenaEngine ?? false))]),
        ...(options.athenaClient === undefined
          ? []
          : [await look('workgroup', () => checkWorkgroup(context, options.athenaClient!, options.usesAthenaEngine ?? false))]),
      ]
      return { ok: findings.every(({ status }) => status !== 'failed'), findings }
    } finally {
      if (options.client === undefined) client.destroy()
    }
  })
}

type Found = Omit<Finding, 'name'>

async function look(name: string, work: () => Promise<Found>): Promise<Finding> {
  try {
    return { name, ...(await work()) }
  } catch (error) {
    if (!PipeError.isInstance(error)) throw error
    return { name, status: 'failed', text: error.message }
  }
}

async function checkSource({ source, compaction, signal }: StateContext): Promise<Found> {
  for await (const { key } of source.list(signal ? { signal } : {})) {
    const at = compaction.keyTime(key)
    await source.head(key, signal ? { signal } : {})
    return at === undefined
      ? {
          status: 'warning',
          text: `The first object, ${source.uri(key)}, names no time in its key.`,
          hint: 'Objects without a time are never compacted: give defineCompaction a keyTime.',
        }
      : { status: 'ok', text: `It can be listed and read; the first object is of ${at.toISOString()}.` }
  }
  return { status: 'warning', text: `There is nothing below ${source.location}.`, hint: 'Look at the prefix.' }
}

/** Writes a probe object create-only, twice: the second time must be refused. */
async function checkTarget({ target, compaction, signal }: StateContext): Promise<Finding[]> {
  const key = `_pipe/${compaction.table.name}/doctor/${randomUUID()}`
  const options = signal ? { signal } : {}
  const findings: Finding[] = []
  const writing = await look('target', async () => {
    const first = await target.putIfAbsent(key, 'probe', options)
    const second = await target.putIfAbsent(key, 'probe again', options)
    const isConditional = first.outcome === 'created' && second.outcome === 'exists'
    return isConditional
      ? { status: 'ok', text: 'It can be written, and a create-only write over an object is refused.' }
      : {
          status: 'failed',
          text: 'A create-only write (If-None-Match) went over an object that was there.',
          hint: 'Commits need it: use a service that knows conditional writes.',
        }
  })
  findings.push(writing)
  if (writing.status !== 'ok') return findings
  const head = await target.head(key, options)
  const skewMs = Math.abs(Date.now() - (head?.lastModified.getTime() ?? 0))
  findings.push({
    name: 'clock',
    ...(skewMs <= maxSkewMs
      ? { status: 'ok' as const, text: 'The clock of this machine agrees with that of S3.' }
      : {
          status: 'warning' as const,
          text: `The clock of this machine is ${Math.round(skewMs / 1000)} s off that of S3.`,
          hint: 'What is committed never depends on it; leases do, and S3 refuses signatures that are 15 minutes off.',
        }),
  })
  findings.push(
    await look('collect garbage', async () => {
      await target.delete(key, options)
      return { status: 'ok', text: 'Objects of the target may be deleted.' }
    }).then((found) =>
      found.status === 'failed'
        ? { ...found, status: 'warning' as const, hint: 'Only collectGarbage needs it; a probe object stays in the target.' }
        : found,
    ),
  )
  return findings
}

async function checkForeign({ target, signal }: StateContext): Promise<Found> {
  const foreign: string[] = []
  let looked = 0
  for await (const { key } of target.list(signal ? { signal } : {})) {
    if (++looked > maxLooked) break
    if (!/^(?:_pipe\/|manifest\/|(?:data|stage)\/\d{8}T\d{4}Z\/r?\d+-[0-9a-f]{12}\/)/.test(key)) foreign.push(key)
  }
  if (foreign.length === 0) return { status: 'ok', text: 'It holds nothing but state and data of compactions.' }
  return {
    status: 'warning',
    text: `It is not empty: ${foreign.length} objects are not of a compaction, for example ${target.uri(foreign[0]!)}.`,
    hint: 'They are never read, changed or deleted, but do not belong there: take a prefix of its own.',
  }
}

async function checkLifecycle({ target, signal }: StateContext, client: S3Client): Promise<Found> {
  const { bucket, prefix } = parseLocation(target.location as `s3://${string}/`)
  let rules: readonly LifecycleRule[]
  try {
    const command = new GetBucketLifecycleConfigurationCommand({ Bucket: bucket })
    rules = (await client.send(command, signal ? { abortSignal: signal } : {})).Rules ?? []
  } catch (error) {
    const { name, message } = error as Error
    if (name === 'NoSuchLifecycleConfiguration') rules = []
    else return { status: 'unknown', text: `The rules of ${bucket} cannot be read (${name}: ${message}).` }
  }
  const enabled = rules.filter(({ Status }) => Status === 'Enabled')
  const prefixOf = ({ Filter, Prefix }: LifecycleRule) => Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? ''
  const touches = (rule: LifecycleRule, place: string) => prefixOf(rule).startsWith(place) || place.startsWith(prefixOf(rule))
  const places = [`${prefix}data/`, `${prefix}_pipe/`, `${prefix}manifest/`]
  const eating = enabled.find((rule) => {
    const archives = rule.Transitions?.some(({ StorageClass }) => /GLACIER|DEEP_ARCHIVE/.test(StorageClass ?? '')) ?? false
    return (rule.Expiration !== undefined || archives) && places.some((place) => touches(rule, place))
  })
  if (eating !== undefined) {
    return {
      status: 'failed',
      text: `The rule "${eating.ID ?? ''}" expires or archives objects of ${places.join(', ')}.`,
      hint: 'Limit it to other prefixes: compactor.protectedPrefixes() names those that it must not touch.',
    }
  }
  const aborts = enabled.some((rule) => rule.AbortIncompleteMultipartUpload !== undefined && touches(rule, places[0]!))
  if (!aborts) {
    return {
      status: 'warning',
      text: `No rule of ${bucket} aborts incomplete multipart uploads below ${target.location}.`,
      hint: 'Parts of uploads that died are invisible and billed: add AbortIncompleteMultipartUpload after 2 days.',
    }
  }
  return { status: 'ok', text: 'Incomplete uploads are aborted, and nothing that is needed expires.' }
}

async function checkTables({ athena, compaction, signal }: StateContext, usesAthenaEngine: boolean): Promise<Found> {
  const names = [compaction.compacted.name, ...(usesAthenaEngine ? [compaction.linesTable] : [])]
  const wait = signal ? { signal } : {}
  const missing: string[] = []
  for (const name of names) {
    try {
      await athena!.query(sql`SHOW PARTITIONS ${identifier(name)}`, { returns: { partition: column.string() }, ...wait }).rows()
    } catch (error) {
      if (!PipeError.isInstance(error) || error.code !== 'PIPE_ATHENA_NOT_FOUND') throw error
      missing.push(name)
    }
  }
  if (missing.length === 0) return { status: 'ok', text: `${names.join(' and ')} exist.` }
  return {
    status: 'failed',
    text: `There is no table ${missing.join(', ')} in the database ${athena!.database ?? ''}.`,
    hint: 'Run the statements of compactionDdl(compaction) once.',
  }
}

async function checkWorkgroup({ athena, signal }: StateContext, client: AthenaClient, usesAthenaEngine: boolean): Promise<Found> {
  const name = athena?.workgroup ?? 'primary'
  let configuration: {
    readonly EnforceWorkGroupConfiguration?: boolean | undefined
    readonly BytesScannedCutoffPerQuery?: number | undefined
  }
  try {
    const answer = await client.send(new GetWorkGroupCommand({ WorkGroup: name }), signal ? { abortSignal: signal } : {})
    configuration = answer.WorkGroup?.Configuration ?? {}
  } catch (error) {
    return {
      status: 'unknown',
      text: `The workgroup ${name} cannot be read (${(error as Error).name}: ${(error as Error).message}).`,
    }
  }
  if (usesAthenaEngine && configuration.EnforceWorkGroupConfiguration === true) {
    return {
      status: 'failed',
      text: `The workgroup ${name} enforces its own output location, so Athena refuses the place of every CTAS.`,
      hint: 'Use a workgroup without "override client-side settings", or inProcessEngine().',
    }
  }
  const cutoff = configuration.BytesScannedCutoffPerQuery
  if (cutoff !== undefined) {
    return { status: 'warning', text: `The workgroup ${name} stops queries that scan more than ${cutoff} bytes.` }
  }
  return { status: 'ok', text: `The workgroup ${name} lets queries choose their place.` }
}
