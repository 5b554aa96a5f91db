import { ConfigError, PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { JsonSchema } from './shape'

/** An event as it lies on a bus and as a handler receives it. */
export interface BusEvent<Detail = unknown, Source extends string = string, DetailType extends string = string> {
  readonly version: string
  readonly id: string
  readonly source: Source
  readonly 'detail-type': DetailType
  readonly account: string
  /** ISO 8601, whole seconds. */
  readonly time: string
  readonly region: string
  readonly resources: readonly string[]
  readonly detail: Detail
  /** Present when an archive is replayed. */
  readonly 'replay-name'?: string
}

/** What publisher and handlers of an event agree on. Made by {@link defineEvent}. */
export interface EventContract<Detail = unknown, Source extends string = string, DetailType extends string = string> {
  readonly source: Source
  readonly detailType: DetailType
  /** Counts up with every incompatible change; stands in `detail.version` of what is published. `undefined`: the contract has no versions. */
  readonly version: number | undefined
  readonly schema: StandardSchemaV1<unknown, Detail>
  /** The schema of the detail as JSON Schema, when its library can tell (Standard JSON Schema). */
  jsonSchema(): JsonSchema | undefined
}

/** The type of a contract's detail. */
export type DetailOf<Contract> = Contract extends EventContract<infer Detail, string, string> ? Detail : never

/** Options of {@link defineEvent}. */
export interface DefineEventOptions {
  /**
   * A whole number from 1. It is written into `detail.version` when an event is published, and an event of another version is refused by
   * `onEvent`. Default: none.
   */
  readonly version?: number
}

/**
 * A contract of an event: its source, its detail type and the schema of its detail, which may come from any library that speaks Standard
 * Schema (zod, valibot, arktype, or `shape` of this package).
 *
 * @throws ConfigError `PIPE_CONFIG` for an empty or too long name (source 256, detail type 128 characters), a source that begins with
 * `aws.` (EventBridge keeps those; see `awsEvents`), no Standard Schema, or a wrong version.
 * @example
 * ```ts
 * const orderPlaced = defineEvent('com.shop.orders', 'OrderPlaced', shape.object({ id: shape.text(), total: shape.number() }))
 * ```
 */
export function defineEvent<Schema extends StandardSchemaV1, const Source extends string, const DetailType extends string>(
  source: Source,
  detailType: DetailType,
  schema: Schema,
  options: DefineEventOptions = {},
): EventContract<StandardSchemaV1.InferOutput<Schema>, Source, DetailType> {
  const where = `defineEvent(${JSON.stringify(source)}, ${JSON.stringify(detailType)})`
  if (source.startsWith('aws.')) {
    throw new ConfigError(`${where}: sources that begin with "aws." belong to AWS.`, {
      hint: 'Use awsEvents, or another source.',
    })
  }
  checkOptions(where, options, { optional: ['version'] })
  return contractOf(where, source, detailType, schema, options.version)
}

/** The same without the rule on sources: for AWS's own events. */
export function contractOf<Schema extends StandardSchemaV1, Source extends string, DetailType extends string>(
  where: string,
  source: Source,
  detailType: DetailType,
  schema: Schema,
  version?: number,
): EventContract<StandardSchemaV1.InferOutput<Schema>, Source, DetailType> {
  if (source.length < 1 || source.length > 256) throw new ConfigError(`${where}: a source has 1 to 256 characters.`)
  if (detailType.length < 1 || detailType.length > 128) throw new ConfigError(`${where}: a detail type has 1 to 128 characters.`)
  if (typeof schema?.['~standard']?.validate !== 'function') {
    throw new ConfigError(`${where}: the schema is no Standard Schema.`, {
      hint: 'Give one of zod, valibot, arktype, or shape.object({ … }).',
    })
  }
  if (version !== undefined && (!Number.isSafeInteger(version) || version < 1)) {
    throw new ConfigError(`${where}: version is ${version}, not a whole number above 0.`)
  }
  type Detail = StandardSchemaV1.InferOutput<Schema>
  const checked = schema as StandardSchemaV1 as StandardSchemaV1<unknown, Detail>
  return Object.freeze({ source, detailType, version, schema: checked, jsonSchema: () => jsonSchemaOf(schema) })
}

function jsonSchemaOf(schema: StandardSchemaV1): JsonSchema | undefined {
  const { jsonSchema } = schema['~standard'] as { jsonSchema?: { input(options: { target: string }): JsonSchema } }
  return jsonSchema?.input({ target: 'draft-2020-12' })
}

/** A problem of a detail, as the schema's library says it. */
export interface ContractIssue {
  /** `items[0].price`; empty for the detail itself. */
  readonly path: string
  readonly message: string
}

/**
 * The detail as its contract reads it.
 *
 * @throws PipeError `PIPE_EVENT_CONTRACT` with every issue in `details.issues`; never retryable. `PIPE_EVENT_VERSION` for another version.
 */
export async function checkDetail<Detail>(contract: EventContract<Detail>, detail: unknown): Promise<Detail> {
  const { version } = contract
  const body = version === undefined ? detail : withoutVersion(contract, detail)
  const result = await contract.schema['~standard'].validate(body)
  if (result.issues === undefined) return result.value
  const issues: ContractIssue[] = result.issues.map(({ message, path = [] }) => ({ path: pathText(path), message }))
  const first = issues.slice(0, 5).map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
  throw new PipeError('PIPE_EVENT_CONTRACT', `${nameOf(contract)}: ${first.join('; ')}.`, {
    details: { source: contract.source, detailType: contract.detailType, issues },
  })
}

/** `com.shop.orders OrderPlaced` */
export function nameOf({ source, detailType }: Pick<EventContract, 'source' | 'detailType'>): string {
  return `${source} ${detailType}`
}

function withoutVersion(contract: EventContract, detail: unknown): unknown {
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) return detail
  const { version, ...body } = detail as { readonly version?: unknown }
  if (version === contract.version) return body
  const found = version === undefined ? 'none' : JSON.stringify(version)
  throw new PipeError(
    'PIPE_EVENT_VERSION',
    `${nameOf(contract)}: the event's version is ${found}, the contract's ${contract.version}.`,
    {
      hint: 'Handle each version by a contract of its own, and route by detail.version.',
      details: { source: contract.source, detailType: contract.detailType, version },
    },
  )
}

function pathText(path: readonly (PropertyKey | StandardSchemaV1.PathSegment)[]): string {
  return path
    .map((part) => (typeof part === 'object' ? part.key : part))
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${String(key)}`))
    .join('')
}
