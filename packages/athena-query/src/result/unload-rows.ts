import { type ByteRanges, ConfigError, type ObjectStore, PipeError, readParquet, type Table } from '@pipe/core'
import { type OpenStore, openResultObject, splitUri } from './result-object'
import type { Returns } from './row-plan'

/** What {@link unloadRows} takes. */
export interface UnloadRowsOptions {
  readonly returns: Returns
  readonly openStore: OpenStore
  /** The folder that was unloaded to. */
  readonly target: string
  /** The list of the files that Athena wrote. */
  readonly manifest: string
  readonly signal?: AbortSignal | undefined
}

/**
 * The rows of an UNLOAD: of the Parquet files that its manifest names, one file after the other, by row groups. Nothing is promised about
 * their order.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_COLUMN` when the files hold other columns than `returns`.
 * @throws {@link PipeError} `PIPE_ATHENA_RESULT` when a file is gone, damaged, or lies outside of the target.
 */
export async function* unloadRows(options: UnloadRowsOptions): AsyncGenerator<Record<string, unknown>[]> {
  const { returns, openStore, target, manifest, signal } = options
  const table = tableOf(returns)
  const rename = renamer(returns)
  for (const uri of await manifestFiles(options)) {
    const { bucket, key } = splitUri(uri)
    const ranges = await objectRanges(openStore(bucket), key, uri, signal)
    const batches = readParquet(ranges, { table, file: uri, ...(signal && { signal }) })
    for await (const { rows, unreadable } of batches) {
      if (unreadable.length > 0) {
        const { reason, line } = unreadable[0]!
        throw new ConfigError(
          `The query returns other columns than "returns" says: ${reason}${line ? ` in row ${line}` : ''} (${uri}).`,
          {
            code: 'PIPE_ATHENA_COLUMN',
            hint: 'Declare the columns as they come, or cast them.',
            details: { file: uri, ...(line === undefined ? {} : { row: line }) },
          },
        )
      }
      if (rows.length > 0) yield rename(rows)
    }
  }

  async function manifestFiles({ openStore: open }: UnloadRowsOptions): Promise<string[]> {
    const text = await (await openResultObject(open, manifest, signal)).text()
    const files = text.split('\n').filter((line) => line !== '')
    const foreign = files.find((uri) => !uri.startsWith(target))
    if (foreign !== undefined) {
      throw new PipeError('PIPE_ATHENA_RESULT', `The manifest ${manifest} names ${foreign}, which is not below ${target}.`, {
        hint: 'Somebody changed the manifest: look who may write to the output location.',
        details: { file: manifest },
      })
    }
    return files
  }
}

/** A contract of the columns, for the reader of Parquet. Athena writes their names in lower case. */
function tableOf(returns: Returns): Table {
  const columns = Object.fromEntries(Object.entries(returns).map(([name, column]) => [name.toLowerCase(), column]))
  return { name: 'result', columns } as unknown as Table
}

function renamer(returns: Returns): (rows: Record<string, unknown>[]) => Record<string, unknown>[] {
  const names = Object.keys(returns)
  if (names.every((name) => name === name.toLowerCase())) return (rows) => rows
  return (rows) => rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name.toLowerCase()]])))
}

async function objectRanges(store: ObjectStore, key: string, uri: string, signal: AbortSignal | undefined): Promise<ByteRanges> {
  const options = signal === undefined ? {} : { signal }
  const head = await store.head(key, options)
  const gone = () =>
    new PipeError('PIPE_ATHENA_RESULT', `The file ${uri} of the result is gone.`, {
      hint: 'Run the query again.',
      details: { file: uri },
    })
  if (head === undefined) throw gone()
  return {
    byteLength: head.size,
    read: async (start, end) => {
      const body = await store.get(key, { ...options, range: { start, end }, ifMatch: head.etag })
      if (body === undefined) throw gone()
      return body.bytes()
    },
    close: async () => {},
  }
}
