import { parseLocation, type S3Location } from '@pipe/core'
import type { ArgsDef } from 'citty'
import { toFile } from '../file-sink'
import { generateWindows } from '../generate-windows'
import { toS3 } from '../s3-sink'
import { type LogArgs, logArgs, logFrom, numberFrom, type SpanArgs, spanArgs, spanFrom } from './arguments'
import type { CommandOutput } from './output'

/** Options of `write`. */
export const writeArgs: ArgsDef = {
  to: { type: 'string', valueHint: 's3://bucket/prefix/|folder', description: 'Where the files go', required: true },
  ...spanArgs,
  ...logArgs,
  concurrency: { type: 'string', valueHint: 'n', description: 'Files under way at a time (default 4)' },
}

/** Writes the files of a span. */
export async function writeCommand(
  args: LogArgs & SpanArgs & { readonly to: string; readonly concurrency?: string },
  output: CommandOutput,
  signal: AbortSignal,
): Promise<number> {
  const log = await logFrom(args)
  const { to } = args
  const isS3 = to.startsWith('s3:')
  if (isS3) parseLocation(to as S3Location)
  const sink = isS3 ? toS3(to as S3Location) : toFile(to)
  const startedAt = Date.now()
  try {
    const concurrency = numberFrom('concurrency', args.concurrency)
    const { files, empty, rows, rawBytes, bytes } = await generateWindows({
      log,
      sink,
      ...spanFrom(args),
      ...(concurrency !== undefined && { concurrency }),
      signal,
      onProgress: output.progress,
    })
    const seconds = Math.max(0.001, (Date.now() - startedAt) / 1000)
    output.note(
      `${files} files (${empty} empty), ${rows} lines, ${rawBytes} bytes, ${bytes} as stored, in ${seconds.toFixed(1)} s (${Math.round(rows / seconds)} lines/s)`,
    )
    return 0
  } finally {
    sink.close()
  }
}
