import { type Clock, ConfigError, type Duration, durationMs, PipeError, systemClock } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { dueMessages, type Pace } from './due-messages'
import type { LogSource } from './lines'
import type { LogMessage } from './messages'
import type { Progress } from './progress'
import type { RecordSink } from './sink'

/** What {@link runLog} takes. */
export interface RunLogOptions extends Pace {
  /** What the devices write: {@link defineLog} or {@link replayCsv}. */
  readonly log: LogSource
  /** Where the records go. */
  readonly sink: RecordSink
  /** The first record is the first one sent at or after this instant of the log. It is due when the run starts. */
  readonly from: Date | string | number
  /** No record sent at or after this instant. Default: the run has no end but `limit` and `signal`. */
  readonly to?: Date | string | number | undefined
  /** Records per second. Default: as far apart as the log has them. */
  readonly rate?: number | undefined
  /** Seconds of the log in one second; `60` plays an hour in a minute. Default 1. Not with `rate`. */
  readonly speed?: number | undefined
  /** Exactly so many records, if the log has them. */
  readonly limit?: number | undefined
  /**
   * What happens when the sink is slower than the log. `block`: records wait, and come late. `drop`: what finds `maxInFlight` sends under way
   * is left out and counted. `fail`: the run ends with `PIPE_LOG_OVERRUN`. Default `'block'`.
   */
  readonly backPressure?: 'block' | 'drop' | 'fail' | undefined
  /** Sends under way at a time. More than 1 may change the order of records. Default 1. */
  readonly maxInFlight?: number | undefined
  /** A record that is taken later than this after it was due counts as late. Default `'1 second'`. */
  readonly lateAfter?: Duration | undefined
  /** What the pace is measured by. Default the clock of the machine. */
  readonly clock?: Clock | undefined
  /** An abort ends the run. */
  readonly signal?: AbortSignal | undefined
  /** Called after each send. */
  readonly onProgress?: ((progress: Progress & RunCounts) => void) | undefined
}

/** Counts of a run: `scheduled` = `emitted` + `dropped` + those under way. */
export interface RunCounts {
  /** Records whose time has come and that were taken from the log. */
  readonly scheduled: number
  /** Records that the sink has taken. */
  readonly emitted: number
  /** Of the emitted: later than `lateAfter` after they were due. */
  readonly late: number
  readonly dropped: number
}

/** What a run did. */
export interface RunReport extends RunCounts {
  /** The greatest time between a record's being due and its being taken. */
  readonly maxLagMs: number
  readonly elapsedMs: number
}

/** Most records of one send. */
const maxBatch = 5000
/** Records that come due within this time go into one send: no send for each single record. */
const gatherMs = 10

/**
 * Sends the records of a log as time passes: an open model, in which a record's time does not depend on how fast the one before was taken.
 * What is due when is cumulative, so a rate holds over any length of time, and a sink that was slow for a while is made up for.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for options.
 * @throws {@link PipeError} `PIPE_LOG_OVERRUN` with `backPressure: 'fail'` when the sink is slower than the log; what the sink throws; the
 * signal's reason. Sends under way have ended by then.
 * @example
 * ```ts
 * const { scheduled, emitted, late, dropped } = await runLog({ log, sink: toStdout(), from: new Date(), rate: 1000, limit: 60_000 })
 * ```
 */
export async function runLog(options: RunLogOptions): Promise<RunReport> {
  checkOptions('runLog', options, {
    required: ['log', 'sink', 'from'],
    optional: ['to', 'rate', 'speed', 'limit', 'backPressure', 'maxInFlight', 'lateAfter', 'clock', 'signal', 'onProgress'],
  })
  const { log, sink, backPressure = 'block', maxInFlight = 1, clock = systemClock, signal, onProgress, limit } = options
  if (!['block', 'drop', 'fail'].includes(backPressure)) {
    throw new ConfigError(`runLog: "backPressure" is 'block', 'drop' or 'fail', not "${backPressure}".`)
  }
  if (!Number.isInteger(maxInFlight) || maxInFlight < 1) {
    throw new ConfigError(`runLog: "maxInFlight" must be a whole number above 0, not ${maxInFlight}.`)
  }
  const lateMs = durationMs(options.lateAfter ?? '1 second')
  const due = dueMessages(log, options)
  let next = due.next()
  const startMs = clock.now()
  const counts = { scheduled: 0, emitted: 0, late: 0, dropped: 0 }
  let maxLagMs = 0
  const underWay = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined

  async function send(messages: readonly LogMessage[], dues: readonly number[]): Promise<void> {
    try {
      await sink.send(messages, { signal })
    } catch (error) {
      failure ??= { error }
      return
    }
    const now = clock.now() - startMs
    counts.emitted += messages.length
    for (const dueMs of dues) if (now - dueMs > lateMs) counts.late++
    maxLagMs = Math.max(maxLagMs, now - (dues[0] as number))
    onProgress?.({
      phase: 'emit',
      done: counts.emitted,
      ...(limit !== undefined && { total: limit }),
      unit: 'records',
      ...counts,
    })
  }

  /** Records that are due, at most a batch of them. */
  function take(): { readonly messages: LogMessage[]; readonly dues: number[] } {
    const until = clock.now() - startMs
    const messages: LogMessage[] = []
    const dues: number[] = []
    for (; !next.done && next.value.dueMs <= until && messages.length < maxBatch; next = due.next()) {
      messages.push(next.value.message)
      dues.push(next.value.dueMs)
    }
    counts.scheduled += messages.length
    return { messages, dues }
  }

  try {
    while (!next.done) {
      signal?.throwIfAborted()
      if (failure) throw failure.error
      if (backPressure === 'block' && underWay.size >= maxInFlight) {
        await Promise.race(underWay)
        continue
      }
      const { messages, dues } = take()
      if (messages.length === 0) {
        await clock.sleep(Math.max(gatherMs, Math.ceil(next.value.dueMs - (clock.now() - startMs))), signal)
        continue
      }
      if (underWay.size < maxInFlight) {
        const sending = send(messages, dues)
        underWay.add(sending)
        void sending.finally(() => underWay.delete(sending))
      } else if (backPressure === 'drop') counts.dropped += messages.length
      else throw overrun(messages.length, counts)
    }
  } finally {
    await Promise.all(underWay)
  }
  if (failure) throw (failure as { readonly error: unknown }).error
  return { ...counts, maxLagMs, elapsedMs: clock.now() - startMs }
}

function overrun(waiting: number, counts: RunCounts): PipeError {
  return new PipeError(
    'PIPE_LOG_OVERRUN',
    `The sink is slower than the log: ${waiting} records are due while sends are under way.`,
    {
      hint: "Lower the rate, raise maxInFlight, or use backPressure: 'block' (records come late) or 'drop' (they are counted).",
      details: counts,
    },
  )
}
