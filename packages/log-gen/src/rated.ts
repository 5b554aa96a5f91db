import { ConfigError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'

/** A rate of records or files, 0–1, or a rate of some kinds only. */
export type Rated<Kind extends string> = number | { readonly rate: number; readonly kinds: readonly Kind[] }

/** A checked {@link Rated}. */
export interface RatedKinds<Kind extends string> {
  readonly rate: number
  readonly kinds: readonly Kind[]
}

/**
 * A rate, checked.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function rateOf(where: string, name: string, value: number): number {
  if (!(value >= 0 && value <= 1)) throw new ConfigError(`${where}: the rate of "${name}" must be from 0 to 1, not ${value}.`)
  return value
}

/**
 * A rate and its kinds, checked: `usual` are those that a number stands for.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function ratedKinds<Kind extends string>(
  where: string,
  name: string,
  given: Rated<Kind> | undefined,
  known: { readonly all: readonly Kind[]; readonly possible: ReadonlySet<Kind>; readonly usual: readonly Kind[] },
): RatedKinds<Kind> {
  if (typeof given === 'object') checkOptions(`${where}: "${name}"`, given, { required: ['rate', 'kinds'] })
  const rate = rateOf(where, name, (typeof given === 'object' ? given.rate : given) ?? 0)
  const kinds = typeof given === 'object' ? given.kinds : known.usual.filter((kind) => known.possible.has(kind))
  for (const kind of kinds) {
    if (!known.all.includes(kind)) {
      throw new ConfigError(`${where}: "${kind}" is not a kind of "${name}".`, { hint: `Known kinds: ${known.all.join(', ')}.` })
    }
    if (!known.possible.has(kind)) {
      throw new ConfigError(`${where}: "${name}" of the kind "${kind}" is not possible with this table and format.`, {
        hint: `Possible kinds: ${[...known.possible].join(', ') || 'none'}.`,
      })
    }
  }
  if (kinds.length === 0 && (rate > 0 || typeof given === 'object')) {
    throw new ConfigError(`${where}: "${name}" needs at least one kind that is possible with this table and format.`)
  }
  return { rate, kinds }
}
