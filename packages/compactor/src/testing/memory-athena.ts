import { type Athena, type ExecutionReport, type Query, renderSql } from '@pipe/athena-query'
import { PipeError, type RowOf, readParquet, type Table, writeParquet } from '@pipe/core'
import { rowReader } from '@pipe/core/internal'
import { objectPattern } from '../engine/line-pattern'
import type { MemoryS3 } from './memory-s3'
import type { Worker } from './turnstile'

/** A catalogue and an engine for the statements of the compactor, over S3 in memory. */
export interface MemoryAthena {
  /** The client of one worker: each statement passes its turnstile, a CTAS twice, as it may die between its files and its table. */
  clientOf(worker: Worker): Athena
  /** A client that passes no turnstile. */
  readonly client: Athena
  /** Rows that a query over a table gives now. */
  rows(table: string): Promise<Record<string, unknown>[]>
  tables(): string[]
}

interface Entry {
  readonly location: string
  readonly isList: boolean
  readonly isParquet: boolean
  readonly isPartitioned: boolean
  /** Locations by values, as written in the statement. */
  readonly partitions: Map<string, string>
}

/** How statements are carried out. */
export interface MemoryAthenaOptions {
  readonly s3: MemoryS3
  readonly table: Table
  /** A broken catalogue: IF NOT EXISTS is not looked at, so a partition that is added twice is there twice. */
  readonly addsTwice?: boolean
}

/** Creates it, without tables. */
export function createMemoryAthena({ s3, table, addsTwice = false }: MemoryAthenaOptions): MemoryAthena {
  const tables = new Map<string, Entry>()
  const read = rowReader(table)
  const source = objectPattern(table.columns, Object.keys(table.columns), 'bytes')
  const certain = source === undefined ? undefined : new RegExp(`^${source}$`)
  const parsed = new Map<string, Record<string, unknown>[]>()
  let added = 0

  const place = (uri: string): readonly [string, string] => {
    const match = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri)!
    return [match[1]!, match[2]!]
  }
  function entryOf(name: string): Entry {
    const entry = tables.get(name)
    if (entry === undefined) throw new PipeError('PIPE_ATHENA_NOT_FOUND', `TABLE_NOT_FOUND: Table '${name}' does not exist`)
    return entry
  }

  /** Addresses of the objects that a table holds. */
  function objectsOf(name: string): string[] {
    const { location, isList, isPartitioned, partitions } = entryOf(name)
    const found: string[] = []
    for (const folder of isPartitioned ? partitions.values() : [location]) {
      const [bucket, prefix] = place(folder)
      for (const key of s3.keys(bucket, prefix)) {
        if (!isList) found.push(`s3://${bucket}/${key}`)
        else found.push(...s3.get(bucket, key)!.body.toString().split('\n').filter(Boolean))
      }
    }
    return found
  }

  function bodyOf(uri: string): Buffer {
    const object = s3.get(...place(uri))
    if (object === undefined) throw failed(`HIVE_FILE_NOT_FOUND: ${uri}`)
    return object.body
  }

  function linesOf(from: string): { readonly path: string; readonly lines: string[] }[] {
    const [, name, rest = ''] = /^"?(\w+)"?([\s\S]*)$/.exec(from.trim())!
    const named = pathsIn(rest)
    const paths = objectsOf(name!).filter((path) => named === undefined || named.has(path))
    return paths.map((path) => ({
      path,
      lines: bodyOf(path)
        .toString('latin1')
        .split('\n')
        .filter((text) => text !== ''),
    }))
  }

  async function parquetRows(paths: readonly string[]): Promise<Record<string, unknown>[]> {
    const rows: Record<string, unknown>[] = []
    for (const path of paths) {
      const body = bodyOf(path)
      const id = `${path} ${s3.get(...place(path))!.etag}`
      let known = parsed.get(id)
      if (known === undefined) {
        known = await readAll(table, path, body)
        parsed.set(id, known)
      }
      rows.push(...known)
    }
    return rows
  }

  /** Rows of `SELECT … FROM (SELECT line FROM … UNION ALL …)`, or of a table of committed files. */
  async function rowsOfSelect(text: string): Promise<Record<string, unknown>[]> {
    const sources = [...text.matchAll(/SELECT "?line"? FROM ([\s\S]*?)(?=\nUNION ALL|\)$)/g)].map((match) => match[1]!)
    if (sources.length === 0) return parquetRows(objectsOf(/FROM "?(\w+)"?\s*$/.exec(text)![1]!))
    const rows: Record<string, unknown>[] = []
    for (const { lines } of sources.flatMap(linesOf)) {
      for (const text of lines) {
        const row = read(Buffer.from(text, 'latin1').toString())
        if (typeof row === 'string') throw failed(`HIVE_BAD_DATA: ${row}`)
        rows.push(row)
      }
    }
    return rows
  }

  function runDdl(statement: string): void {
    const add = /^ALTER TABLE `?(\w+)`? ADD IF NOT EXISTS/.exec(statement)
    if (add) {
      const { partitions } = entryOf(add[1]!)
      for (const [, values, location] of statement.matchAll(/PARTITION \(([^)]*)\) LOCATION '([^']*)'/g)) {
        if (addsTwice && partitions.has(values!)) partitions.set(`${values} ${++added}`, location!)
        else if (!partitions.has(values!)) partitions.set(values!, location!)
      }
      return
    }
    const dropPartition = /^ALTER TABLE `?(\w+)`? DROP IF EXISTS/.exec(statement)
    if (dropPartition) {
      const { partitions } = entryOf(dropPartition[1]!)
      for (const [, values] of statement.matchAll(/PARTITION \(([^)]*)\)/g)) partitions.delete(values!)
      return
    }
    const drop = /^DROP TABLE IF EXISTS `?(\w+)`?/.exec(statement)
    if (drop) return void tables.delete(drop[1]!)
    const create = /^CREATE EXTERNAL TABLE IF NOT EXISTS `?(\w+)`?[\s\S]*LOCATION '([^']*)'/.exec(statement)
    if (!create) throw failed(`the simulated Athena does not know this statement: ${statement.slice(0, 80)}`)
    if (tables.has(create[1]!)) return
    tables.set(create[1]!, {
      location: create[2]!,
      isList: statement.includes('SymlinkTextInputFormat'),
      isParquet: statement.toLowerCase().includes('parquet'),
      isPartitioned: statement.includes('PARTITIONED BY'),
      partitions: new Map(),
    })
  }

  function rowsOfQuery(statement: string): Record<string, unknown>[] {
    const show = /^SHOW TABLES '([^']*)'/.exec(statement)
    if (show) {
      const pattern = new RegExp(`^${show[1]!.replaceAll('*', '.*')}$`)
      return [...tables.keys()].filter((name) => pattern.test(name)).map((tab_name) => ({ tab_name }))
    }
    const partitions = /^SHOW PARTITIONS `?(\w+)`?/.exec(statement)
    if (partitions) {
      return [...entryOf(partitions[1]!).partitions.keys()].map((values) => ({
        partition: values.replaceAll(/`| = |'/g, (found) => (found === ' = ' ? '=' : '')).replaceAll(', ', '/'),
      }))
    }
    const from = /FROM ([\s\S]*?)\nGROUP BY/.exec(statement)
    if (!from) throw failed(`the simulated Athena does not know this query: ${statement.slice(0, 80)}`)
    return linesOf(from[1]!).map(({ path, lines }) => ({
      path,
      lines: BigInt(lines.length),
      certain: BigInt(lines.filter((text) => certain?.test(text)).length),
    }))
  }

  function clientOf(pass: <T>(label: string, isRead: boolean, work: () => Promise<T>) => Promise<T>): Athena {
    const close = async () => {}
    const execute: Athena['execute'] = (statement) => {
      const text = typeof statement === 'string' ? statement : renderSql(statement)
      return pass('Athena DDL', false, async () => {
        runDdl(text)
        return report()
      })
    }
    const ctas: Athena['ctas'] = async ({ table: name, as, location }) => {
      const rows = await pass('Athena CTAS writes', false, async () => {
        const [bucket, prefix] = place(location)
        // The service does the statement once, however often it is told to: the token of the request is the same.
        if (tables.has(name) || s3.keys(bucket, prefix).length > 0) return 0
        const found = await rowsOfSelect(renderSql(as))
        if (found.length > 0) {
          const bytes: Uint8Array[] = []
          for await (const chunk of writeParquet(found as RowOf<Table>[], { table })) bytes.push(chunk)
          await send('PutObjectCommand', { Bucket: bucket, Key: `${prefix}file-0`, Body: Buffer.concat(bytes) })
        }
        return found.length
      })
      return pass('Athena CTAS ends', false, async () => {
        tables.set(name, { location, isList: false, isParquet: true, isPartitioned: false, partitions: new Map() })
        return { ...report(), updatedRows: rows, location }
      })
    }
    const send = (name: string, input: object) =>
      (s3.client as unknown as { send(command: object): Promise<unknown> }).send({ constructor: { name }, input })
    return {
      database: 'simulation',
      workgroup: 'primary',
      execute,
      ctas,
      unload: unused,
      insert: unused,
      peekTable: unused,
      describe: unused,
      submit: unused,
      resume: () => {
        throw failed('the simulated Athena does not know this call')
      },
      spending: () => ({ executions: 0, scannedBytes: 0, estimatedDollars: 0 }),
      query: ((statement: Parameters<typeof renderSql>[0]) => {
        const rows = () => pass('Athena query', true, async () => rowsOfQuery(renderSql(statement)))
        return {
          rows,
          first: async () => (await rows())[0],
          async *[Symbol.asyncIterator]() {
            yield* await rows()
          },
        } as unknown as Query<never>
      }) as unknown as Athena['query'],
      close,
      [Symbol.asyncDispose]: close,
    }
  }

  return {
    clientOf: (worker) => clientOf((label, isRead, work) => worker.request(label, isRead, work)),
    client: clientOf((_, __, work) => work()),
    rows: (name) => parquetRows(objectsOf(name)),
    tables: () => [...tables.keys()],
  }
}

/** What the compactor never calls. */
function unused(): Promise<never> {
  return Promise.reject(failed('the simulated Athena does not know this call'))
}

/** The paths of `"$path" IN ('…', …)`; `undefined` when there is no such condition. */
function pathsIn(text: string): ReadonlySet<string> | undefined {
  const at = text.indexOf('"$path" IN (')
  if (at < 0) return undefined
  return new Set([...text.slice(at).matchAll(/'((?:[^']|'')*)'/g)].map((match) => match[1]!.replaceAll("''", "'")))
}

async function readAll(table: Table, file: string, body: Buffer): Promise<Record<string, unknown>[]> {
  const ranges = {
    byteLength: body.length,
    read: async (start: number, end: number) => new Uint8Array(body.subarray(start, end)),
    close: async () => {},
  }
  const all: Record<string, unknown>[] = []
  for await (const { rows, unreadable } of readParquet(ranges, { table, file })) {
    if (unreadable.length > 0) throw new Error(`${file}: ${unreadable[0]!.reason}`)
    all.push(...(rows as Record<string, unknown>[]))
  }
  return all
}

function report(): ExecutionReport {
  const id = 'simulated'
  const nothing = { elapsedMs: 0, queuedMs: 0, scannedBytes: 0, estimatedDollars: 0, updatedRows: 0, warnings: [] }
  return { ...nothing, id, statementType: 'DDL', reusedResult: false, runs: 1, outputLocation: undefined }
}

function failed(reason: string): PipeError {
  return new PipeError('PIPE_ATHENA_FAILED', reason)
}
