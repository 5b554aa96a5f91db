import { ConfigError } from '@pipe/core'
import type { ArgsDef } from 'citty'

/** Options of every command. */
export const connectionArgs = {
  database: { type: 'string', description: 'Database of names without one' },
  workgroup: { type: 'string', description: 'Default primary' },
  output: { type: 'string', description: 's3://bucket/prefix/ of result files. Default: that of the workgroup' },
  json: { type: 'boolean', description: 'JSON instead of a table' },
} as const

/** Refuses what a command does not know: its arguments parser passes over it, and a misspelt option would do nothing. */
export function checkArguments(command: string, args: ArgsDef, rawArgs: readonly string[]): void {
  const options = Object.entries(args).filter(([, { type }]) => type !== 'positional')
  let positionals = 0
  for (let at = 0; at < rawArgs.length; at++) {
    const given = rawArgs[at]!
    if (!given.startsWith('-')) {
      if (++positionals > 1)
        throw new ConfigError(`${command} takes one argument, but ${JSON.stringify(given)} is a second one.`, {
          hint: 'Put it between quotes.',
        })
      continue
    }
    const option = /^--([a-z-]+)(=?)/.exec(given)
    const definition = options.find(([name]) => name === option?.[1])?.[1]
    if (!option || !definition) {
      throw new ConfigError(`${command} has no option ${JSON.stringify(given)}.`, {
        hint: `Options: ${options.map(([name]) => `--${name}`).join(', ')}.`,
      })
    }
    if (definition.type === 'boolean') {
      if (option[2]) throw new ConfigError(`--${option[1]} takes no value.`)
    } else if (option[2] === '' && (rawArgs[++at] === undefined || rawArgs[at]!.startsWith('--'))) {
      throw new ConfigError(`--${option[1]} needs a value.`)
    }
  }
  if (positionals === 0) throw new ConfigError(`${command} needs an argument.`)
}
