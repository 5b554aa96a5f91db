import { ConfigError } from '@pipe/core'
import type { ArgsDef } from 'citty'
import { type RunCounts, runLog } from '../run-log'
import { toStdout } from '../stdout-sink'
import { instantFrom, type LogArgs, logArgs, logFrom, numberFrom } from './arguments'
import type { CommandOutput } from './output'

/** Options of `stream`. */
export const streamArgs: ArgsDef = {
  ...logArgs,
  from: { type: 'string', valueHint: 'instant', description: 'First instant of the log (default: now)' },
  until: { type: 'string', valueHint: 'instant', description: 'Last instant of the log (default: none)' },
  rate: { type: 'string', valueHint: 'n', description: 'Records per second (default: as far apart as the log has them)' },
  speed: { type: 'string', valueHint: 'n', description: 'Seconds of the log in one second (default 1)' },
  limit: { type: 'string', valueHint: 'n', description: 'Exactly so many records' },
  'back-pressure': {
    type: 'string',
    valueHint: 'block|drop|fail',
    description: 'What happens when nobody reads fast enough (default block)',
  },
}

interface StreamArgs extends LogArgs {
  readonly from?: string
  readonly until?: string
  readonly rate?: string
  readonly speed?: string
  readonly limit?: string
  readonly 'back-pressure'?: string
}

/** Writes lines as time passes; Ctrl-C ends it with the counts. */
export async function streamCommand(args: StreamArgs, output: CommandOutput, signal: AbortSignal): Promise<number> {
  const log = await logFrom(args)
  const backPressure = args['back-pressure']
  if (backPressure !== undefined && !['block', 'drop', 'fail'].includes(backPressure)) {
    throw new ConfigError(`--back-pressure is block, drop or fail, not ${JSON.stringify(backPressure)}.`)
  }
  const numbers = Object.fromEntries(
    (['rate', 'speed', 'limit'] as const).flatMap((name) => {
      const value = numberFrom(name, args[name])
      return value === undefined ? [] : [[name, value]]
    }),
  )
  const sink = toStdout()
  const startedAt = Date.now()
  let counts: RunCounts = { scheduled: 0, emitted: 0, late: 0, dropped: 0 }
  try {
    await runLog({
      log,
      sink,
      from: args.from === undefined ? new Date() : instantFrom('from', args.from),
      ...(args.until !== undefined && { to: instantFrom('until', args.until) }),
      ...numbers,
      ...(backPressure !== undefined && { backPressure: backPressure as 'block' }),
      signal,
      onProgress: (progress) => {
        counts = progress
        // Lines on a terminal show by themselves that they come.
        if (!process.stdout.isTTY) output.progress(progress)
      },
    })
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    sink.close()
  }
  const { scheduled, emitted, late, dropped } = counts
  const seconds = Math.max(0.001, (Date.now() - startedAt) / 1000)
  output.note(
    `${scheduled} scheduled, ${emitted} emitted, ${late} late, ${dropped} dropped, ${Math.round(emitted / seconds)} a second`,
  )
  return 0
}
