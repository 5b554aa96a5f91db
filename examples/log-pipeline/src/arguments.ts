import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigError, type Duration, windowLengthMs } from '@pipe/core'
import { type Sabotage, sabotages } from './sabotage'

/** What the command line asks for. */
export interface Arguments {
  readonly engine: 'athena' | 'in-process'
  readonly mode: 'play' | 'day' | 'serve' | 'replay'
  /** Folder of recorded series. */
  readonly input: string | undefined
  readonly tick: Duration
  readonly window: Duration
  readonly sabotage: Sabotage | undefined
}

export const usage = `npm start [-- options]

  --engine athena|in-process   who compacts (default athena)
  --day                        a whole day of a hundred devices, with triggers that are missing and doubled
  --serve                      keep running on the real clock until Ctrl-C
  --input DIR                  replay recorded series: one device a file, columns timestamp,value, UTC
  --tick DURATION              with --input: time that one raw object holds (default '1 hour')
  --window DURATION            with --input: time that one compacted file holds (default '1 day')
  --break NAME                 sabotage the run: ${sabotages.map(({ name }) => name).join(', ')}
  --help`

/**
 * Reads the command line.
 *
 * @throws {@link ConfigError} for an unknown option or value, or options that exclude each other.
 */
export function readArguments(argv: readonly string[]): Arguments | 'help' {
  const values = parse(argv)
  if (values.help) return 'help'
  const engine = values.engine ?? 'athena'
  if (engine !== 'athena' && engine !== 'in-process')
    throw new ConfigError(`--engine ${engine} is not known.`, { hint: 'Use athena or in-process.' })
  const given = (['serve', 'day', 'input', 'break'] as const).filter((name) => values[name] !== undefined)
  if (given.length > 1) throw new ConfigError(`--${given[0]} and --${given[1]} exclude each other.`)
  if (values.input === undefined && (values.tick !== undefined || values.window !== undefined)) {
    throw new ConfigError('--tick and --window belong to --input DIR.')
  }
  const sabotage = sabotages.find(({ name }) => name === values.break)
  if (values.break !== undefined && !sabotage) {
    throw new ConfigError(`--break ${values.break} is not known.`, {
      hint: `Use ${sabotages.map(({ name }) => name).join(', ')}.`,
    })
  }
  const tick = (values.tick ?? (values.input === undefined ? '1 minute' : '1 hour')) as Duration
  const window = (values.window ?? (values.input === undefined ? '5 minutes' : '1 day')) as Duration
  if (windowLengthMs(window) % windowLengthMs(tick) !== 0) {
    throw new ConfigError(`--window ${window} is not a multiple of --tick ${tick}.`, { hint: 'A window is made of whole ticks.' })
  }
  return {
    engine,
    mode: modeOf(values),
    // The functions run elsewhere: their folder is named absolutely.
    input: values.input === undefined ? undefined : resolve(process.env['INIT_CWD'] ?? '.', values.input),
    tick,
    window,
    sabotage,
  }
}

function modeOf({ serve, day, input }: ReturnType<typeof parse>): Arguments['mode'] {
  if (serve) return 'serve'
  if (day) return 'day'
  return input === undefined ? 'play' : 'replay'
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        engine: { type: 'string' },
        serve: { type: 'boolean' },
        day: { type: 'boolean' },
        input: { type: 'string' },
        tick: { type: 'string' },
        window: { type: 'string' },
        break: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values
  } catch (cause) {
    throw new ConfigError(`${(cause as Error).message}.`, { hint: 'npm start -- --help lists the options.', cause })
  }
}
