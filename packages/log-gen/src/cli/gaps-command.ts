import { createObjectStore, type S3Location } from '@pipe/core'
import type { ArgsDef } from 'citty'
import { missingFiles } from '../missing-files'
import { type LogArgs, logArgs, logFrom, type SpanArgs, spanArgs, spanFrom } from './arguments'
import type { CommandOutput } from './output'

/** Options of `gaps`. */
export const gapsArgs: ArgsDef = {
  at: { type: 'string', valueHint: 's3://bucket/prefix/', description: 'Where the files should be', required: true },
  ...spanArgs,
  ...logArgs,
}

/** Lists missing files, one key a line; the exit code is 1 when there are any. */
export async function gapsCommand(
  args: LogArgs & SpanArgs & { readonly at: string },
  output: CommandOutput,
  signal: AbortSignal,
): Promise<number> {
  const log = await logFrom(args)
  const store = createObjectStore({ location: args.at as S3Location })
  try {
    const missing = await missingFiles({ log, store, ...spanFrom(args), signal, onProgress: output.progress })
    for (const { key } of missing) output.out(key)
    output.note(`${missing.length} files are missing`)
    return missing.length > 0 ? 1 : 0
  } finally {
    store.close()
  }
}
