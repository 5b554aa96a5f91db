import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type EpisodeOptions, type EpisodeSpec, episodeSpec } from './episode'

/** What happens to whole devices. Absent means never. Anomalies of a single measure are options of {@link measure}. */
export interface AnomalyOptions {
  /** A device is silent: no records in an episode. */
  readonly dropOut?: EpisodeOptions | undefined
  /** A device sends `times` as many records in an episode. `every` of the log must be divisible by `times`. */
  readonly hot?: (EpisodeOptions & { readonly times: number }) | undefined
  /** Each device starts anew once in each `every` (aligned to 1970): {@link sequence} and {@link counter} begin again at 0. */
  readonly reboot?: { readonly every: Duration } | undefined
  /**
   * Clocks of a `share` of the devices are wrong by up to ± `upTo`: constantly, or wandering with the period `drift`. Beyond the table's
   * `allowedSkew` (ahead) and `allowedLateness` (behind) rows leave the time range in which readers look for them.
   */
  readonly clockSkew?: { readonly share: number; readonly upTo: Duration; readonly drift?: Duration | undefined } | undefined
}

/** Checked {@link AnomalyOptions}. */
export interface Anomalies {
  readonly dropOut: EpisodeSpec | undefined
  readonly hot: (EpisodeSpec & { readonly times: number }) | undefined
  readonly reboot: { readonly everyMs: number } | undefined
  readonly clockSkew: { readonly share: number; readonly upToMs: number; readonly driftMs: number | undefined } | undefined
}

/**
 * Checks anomalies against the time model of a log.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function resolveAnomalies(
  where: string,
  options: AnomalyOptions,
  log: { readonly everyMs: number; readonly unitMs: number },
): Anomalies {
  checkOptions(`${where}: "anomalies"`, options, { optional: ['dropOut', 'hot', 'reboot', 'clockSkew'] })
  const { dropOut, hot, reboot, clockSkew } = options
  return {
    dropOut: dropOut && episodeSpec(`${where}: "dropOut"`, dropOut),
    hot: hot && resolveHot(`${where}: "hot"`, hot, log),
    reboot: reboot && resolveReboot(`${where}: "reboot"`, reboot, log.everyMs),
    clockSkew: clockSkew && resolveSkew(`${where}: "clockSkew"`, clockSkew, log.unitMs),
  }
}

function resolveHot(
  where: string,
  hot: NonNullable<AnomalyOptions['hot']>,
  { everyMs, unitMs }: { readonly everyMs: number; readonly unitMs: number },
): Anomalies['hot'] {
  const spec = episodeSpec(where, hot, ['times'])
  const { times } = hot
  if (!Number.isInteger(times) || times < 2 || times > 10_000 || everyMs % (times * unitMs) !== 0) {
    throw new ConfigError(
      `${where}: "times" must be a whole number from 2 to 10000 that divides the ${everyMs} ms of "every" into multiples of ${unitMs} ms, not ${times}.`,
    )
  }
  return { ...spec, times }
}

function resolveReboot(where: string, reboot: { readonly every: Duration }, everyMs: number): Anomalies['reboot'] {
  checkOptions(where, reboot, { required: ['every'] })
  const rebootMs = durationMs(reboot.every)
  if (!Number.isInteger(rebootMs) || rebootMs < everyMs || rebootMs > 366 * 86_400_000) {
    throw new ConfigError(`${where}: "every" must be from the ${everyMs} ms between two records to '366 days'.`)
  }
  return { everyMs: rebootMs }
}

function resolveSkew(where: string, skew: NonNullable<AnomalyOptions['clockSkew']>, unitMs: number): Anomalies['clockSkew'] {
  checkOptions(where, skew, { required: ['share', 'upTo'], optional: ['drift'] })
  if (!(skew.share >= 0 && skew.share <= 1)) throw new ConfigError(`${where}: "share" must be from 0 to 1, not ${skew.share}.`)
  const upToMs = durationMs(skew.upTo)
  if (!Number.isInteger(upToMs) || upToMs < unitMs || upToMs > 366 * 86_400_000) {
    throw new ConfigError(`${where}: "upTo" must be from ${unitMs} ms, the precision of the event time, to '366 days'.`)
  }
  const driftMs = skew.drift === undefined ? undefined : durationMs(skew.drift)
  if (driftMs !== undefined && (!Number.isInteger(driftMs) || driftMs < 1000 || driftMs > 366 * 86_400_000)) {
    throw new ConfigError(`${where}: "drift" must be from '1 second' to '366 days'.`)
  }
  return { share: skew.share, upToMs, driftMs }
}
