import { ConfigError } from './error'

/**
 * Reads the named environment variables; all that are missing or empty are named in one sentence.
 *
 * @throws {@link ConfigError} `PIPE_ENV`
 * @example
 * ```ts
 * const { BUCKET, RAW_PREFIX } = readEnv(['BUCKET', 'RAW_PREFIX'])
 * ```
 */
export function readEnv<const Name extends string>(
  names: readonly Name[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<Name, string> {
  const missing = names.filter((name) => !env[name])
  if (missing.length > 0) {
    throw new ConfigError(
      `The environment ${missing.length === 1 ? 'variable' : 'variables'} ${missing.join(', ')} must be set.`,
      {
        code: 'PIPE_ENV',
        hint: 'Set it in the configuration of the function.',
      },
    )
  }
  return Object.fromEntries(names.map((name) => [name, env[name]])) as Record<Name, string>
}
