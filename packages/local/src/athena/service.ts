import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { checkOptions } from '@pipe/core/internal'
import { openCatalog } from '../catalog/catalog'
import type { RuntimeClock } from '../clock'
import type { ObjectFiles } from '../s3/object-files'
import { type Authorizer, AwsError, type Service, type ServiceCall } from '../service'
import { type AthenaControls, createAthenaControls } from './controls'
import { createExecutions } from './executions'
import { athenaOperations } from './operations'
import { openPreparedStatements } from './prepared-statements'
import type { SelectEngine } from './query-engine'
import type { RequestBody } from './request'
import type { SelectEngineOptions } from './select-engine'
import { openWorkgroups } from './workgroups'

/** Options of {@link createAthenaService}. */
export interface AthenaServiceOptions {
  /** Folder for the catalogue and for files of running queries. On the same volume as the objects. */
  readonly dir: string
  readonly clock: RuntimeClock
  readonly authorizer: Authorizer
  readonly files: ObjectFiles
  /** Engine for SELECT and CTAS; started on the first query. Default: DuckDB (`createSelectEngine`). */
  readonly engine?: () => Promise<SelectEngine>
  /** Output location of the workgroup `primary` while it has none of its own. */
  readonly outputLocation?: string
  /** Faults and quotas. Default: none. */
  readonly controls?: AthenaControls
}

const targetPrefix = 'AmazonAthena.'
/** A statement may have 262 144 bytes, which JSON can write six times as long. */
const maxBodyBytes = 4 * 1024 * 1024

/**
 * The local Athena: `AmazonAthena.*` calls in AWS JSON 1.1. Databases, tables, partitions and workgroups live in `dir` and outlast the
 * process; executions live as long as the process.
 */
export async function createAthenaService(options: AthenaServiceOptions): Promise<Service> {
  checkOptions('createAthenaService', options, {
    required: ['dir', 'clock', 'authorizer', 'files'],
    optional: ['engine', 'outputLocation', 'controls'],
  })
  const { dir, clock, authorizer, files } = options
  const now = () => clock.now()
  const controls = options.controls ?? createAthenaControls(now)
  const scratchDir = resolve(dir, 'scratch')
  const spillDir = resolve(dir, 'spill')
  // What a process that died left behind.
  for (const left of [scratchDir, spillDir]) await rm(left, { recursive: true, force: true })
  await mkdir(dir, { recursive: true })
  const catalog = openCatalog({ dir, now })
  const workgroups = openWorkgroups({ file: join(dir, 'workgroups.json'), now, outputLocation: options.outputLocation })
  const prepared = openPreparedStatements(join(dir, 'prepared-statements.json'))
  const engine = lazyEngine(
    options.engine ??
      (() => defaultEngine({ now, allowedDirectories: [files.dir, scratchDir, spillDir], spillDirectory: spillDir })),
  )
  const executions = createExecutions({ catalog, prepared, files, clock, authorizer, controls, scratchDir, engine: engine.get })
  const operations = athenaOperations({ executions, workgroups, prepared, catalog, files, authorizer, now })

  return {
    name: 'athena',
    matches: (call) => targetOf(call)?.startsWith(targetPrefix) ?? false,
    async handle(call) {
      try {
        const name = targetOf(call)?.slice(targetPrefix.length) ?? ''
        const operation = Object.hasOwn(operations, name) ? operations[name] : undefined
        if (!operation) throw new AwsError('UnknownOperationException', `The local Athena has no operation ${name}.`)
        const body = await readBody(call)
        const { losesReply } = controls.beforeCall(name)
        const answer = await operation(body, call.principal)
        if (losesReply) call.response.destroy()
        else respond(call, 200, answer)
      } catch (error) {
        respondError(call, error)
      }
    },
    async close() {
      await executions.close()
      await engine.close()
      for (const left of [scratchDir, spillDir]) await rm(left, { recursive: true, force: true })
    },
  }
}

/** DuckDB is loaded by the first query, not by starting the runtime. It can reach the objects and its scratch folders, nothing else. */
async function defaultEngine(options: SelectEngineOptions): Promise<SelectEngine> {
  const { createSelectEngine } = await import('./select-engine')
  return createSelectEngine(options)
}

function targetOf(call: ServiceCall): string | undefined {
  const target = call.request.headers['x-amz-target']
  return typeof target === 'string' ? target : undefined
}

/** Starts the engine once, on first use; a start that failed is tried again by the next query. */
function lazyEngine(start: () => Promise<SelectEngine>) {
  let started: Promise<SelectEngine> | undefined
  return {
    get(): Promise<SelectEngine> {
      started ??= start().catch((error: unknown) => {
        started = undefined
        throw error
      })
      return started
    },
    async close() {
      await (await started)?.close()
      started = undefined
    },
  }
}

async function readBody(call: ServiceCall): Promise<RequestBody> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of call.request) {
    size += (chunk as Buffer).length
    if (size > maxBodyBytes)
      throw new AwsError('RequestEntityTooLargeException', `The request is longer than ${maxBodyBytes} bytes.`, 413)
    chunks.push(chunk as Buffer)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  try {
    const body: unknown = JSON.parse(text === '' ? '{}' : text)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as RequestBody
  } catch {
    // Answered below: the body is not a JSON object.
  }
  throw new AwsError('SerializationException', 'The request is not a JSON object.')
}

function respond(call: ServiceCall, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  call.response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': call.requestId,
  })
  call.response.end(text)
}

function respondError(call: ServiceCall, error: unknown): void {
  if (error instanceof AwsError) {
    // JSON services say AccessDeniedException where S3 says AccessDenied.
    const code = error.code === 'AccessDenied' ? 'AccessDeniedException' : error.code
    respond(call, error.code === 'AccessDenied' ? 400 : error.status, {
      __type: code,
      Message: error.message,
      message: error.message,
      ...error.fields,
    })
    return
  }
  const message = error instanceof Error ? error.message : String(error)
  respond(call, 500, { __type: 'InternalServerException', Message: message, message })
}
