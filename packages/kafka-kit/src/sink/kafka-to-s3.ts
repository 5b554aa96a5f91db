import { type Duration, durationMs, PipeError, sleep, type Table } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { offsetFetch } from '@pipe/kafka-wire'
import type { AnyTopic } from '../consumer/consumed-record'
import { fromKafkajs, KafkaError } from '../errors'
import { resourcesOf } from '../kafka-resources'
import { createPartitionLog } from './partition-log'
import { createPartitionSink, mayPass, type PartitionSink, type SinkCommit } from './partition-sink'
import { sinkFiles } from './sink-file'
import { createSinkGroup, type SinkGroup } from './sink-group'
import { createSinkLedger } from './sink-ledger'
import { createSinkMemory } from './sink-memory'
import { type KafkaToS3Options, type SinkSettings, sinkSettings } from './sink-options'

/** Where one partition stands. */
export interface SinkPartition {
  readonly partition: number
  /** Everything below this offset is stored in S3; `undefined` before it has begun. */
  readonly stored: bigint | undefined
  /** End of what is committed in the log. */
  readonly end: bigint | undefined
  /** Records in the open file. */
  readonly open: number
}

/** What a sink has done since it was made. */
export interface SinkReport {
  /** Files that this worker wrote. */
  readonly files: number
  /** Files that another worker had written already. */
  readonly existed: number
  /** Rows in the files that this worker wrote. */
  readonly rows: number
  readonly quarantined: number
  /** Records that retention had taken before they were stored. */
  readonly skipped: bigint
  readonly bufferedBytes: number
  /** The partitions of this worker. */
  readonly partitions: readonly SinkPartition[]
}

/** Stores a topic in S3, each record once. */
export interface KafkaToS3 extends AsyncDisposable {
  /**
   * Works until it is stopped, or `deadline` has passed. Called once.
   *
   * @throws the signal's reason when it aborts; what ended it otherwise.
   */
  run(options?: { readonly signal?: AbortSignal | undefined; readonly deadline?: Duration | undefined }): Promise<SinkReport>
  /** The same promise as that of `run`: resolves when it was stopped, rejects with what ended it. */
  readonly done: Promise<SinkReport>
  /**
   * Ends the work: files that are being written are finished for up to `deadline` (default `'10 seconds'`). What is open is read again by
   * whoever comes next; with `flush` it is written now.
   */
  stop(options?: { readonly deadline?: Duration | undefined; readonly flush?: boolean | undefined }): Promise<SinkReport>
  progress(): SinkReport
  /** `stop()`. */
  close(): Promise<void>
}

/**
 * Makes a sink that stores the records of a topic as files in S3, exactly once: killed at any moment, with any number of workers, also
 * ones that the group took for dead.
 *
 * The file of a range of offsets is claimed by its first offset with a create-only write below `_sink/`, then written create-only under a
 * key that names topic, partition, roll window and offsets. Work resumes from what S3 holds; the offsets of the group only show the lag.
 * Records that do not fit are stored with their bytes below `_quarantine/`.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for an unknown or contradictory option, or a topic that is compacted.
 * @example
 * ```ts
 * const sink = createKafkaToS3({ kafka, topic: orders, group: 'orders-to-s3', target: 's3://lake/orders/', table, roll: { eventTime: '5 minutes' } })
 * process.once('SIGTERM', () => void sink.stop({ deadline: '20 seconds' }))
 * await sink.run()
 * ```
 */
export function createKafkaToS3<T extends AnyTopic, Tb extends Table>(options: KafkaToS3Options<T, Tb>): KafkaToS3 {
  const settings = sinkSettings(options)
  const resources = resourcesOf(options.kafka)
  const { topic, table, group, store } = settings
  const cluster = resources.openCluster()
  const memory = createSinkMemory(settings.maxBufferedBytes)
  /** Aborts everything at once. */
  const ending = new AbortController()
  const workers = new Map<number, Worker>()
  const totals = { files: 0, existed: 0, rows: 0, quarantined: 0, skipped: 0n }
  let member: SinkGroup | undefined
  let ran: Promise<SinkReport> | undefined
  let stopped: Promise<SinkReport> | undefined
  let settle: (error?: unknown) => void = () => undefined
  const finished = new Promise<void>((resolve, reject) => {
    settle = (error) => (error === undefined ? resolve() : reject(error))
  })
  // Whoever awaits `done` or `run` gets it; nobody has to.
  finished.catch(() => undefined)
  const done = finished.then(report)
  done.catch(() => undefined)
  const disown = resources.own(async () => {
    await stop()
  })

  function report(): SinkReport {
    const partitions = [...workers.values()]
      .map(({ partition, sink }) => ({ partition, stored: sink.stored, end: sink.end, open: sink.openRecords }))
      .sort((a, b) => a.partition - b.partition)
    return { ...totals, bufferedBytes: memory.usedBytes, partitions }
  }

  const onEvent: SinkSettings['onEvent'] = (event) => {
    if (event.kind === 'file') {
      if (event.outcome === 'created') {
        totals.files++
        totals.rows += event.rows
        totals.quarantined += event.quarantined
      } else totals.existed++
    } else if (event.kind === 'skipped') totals.skipped += event.to - event.from
    settings.onEvent(event)
  }

  async function committed(partition: number, signal: AbortSignal): Promise<SinkCommit | undefined> {
    const broker = await cluster.coordinator(group)
    const topics = [{ name: topic.name, partitions: [partition] }]
    const answer = await cluster.call(broker, offsetFetch, { group, topics, requireStable: false }, { signal })
    const found = answer.topics[0]?.partitions[0]
    return found && found.errorCode === 0 && found.offset >= 0n
      ? { offset: found.offset, metadata: found.metadata ?? '' }
      : undefined
  }

  const commits = new Set<Promise<void>>()
  function commit(partition: number, stored: SinkCommit): void {
    if (!member) return
    const committing: Promise<void> = member
      .commit(partition, stored)
      .catch((error) => {
        const failure = PipeError.isInstance(error) ? error : fromKafkajs(`Group ${group}`, error)
        onEvent({ kind: 'commit-failed', partition, error: failure })
      })
      .finally(() => commits.delete(committing))
    commits.add(committing)
  }

  function startWorker(partition: number): Worker {
    const sink = createPartitionSink({
      ...settings,
      topic: topic.name,
      partition,
      log: createPartitionLog(cluster, { topic: topic.name, partition }),
      ledger: createSinkLedger(store, topic.name, partition),
      open: sinkFiles(topic, partition, table, settings.row),
      memory,
      onEvent,
      committed: (signal) => committed(partition, signal),
      stored: (stored) => commit(partition, stored),
    })
    return runWorker({ partition, sink, ending: ending.signal, onEvent, onFatal: settle })
  }

  function assigned(partitions: readonly number[]): void {
    if (stopped || ending.signal.aborted) return
    for (const [partition, worker] of workers) {
      if (partitions.includes(partition)) continue
      workers.delete(partition)
      worker.stop()
    }
    for (const partition of partitions) if (!workers.has(partition)) workers.set(partition, startWorker(partition))
    onEvent({ kind: 'assigned', partitions })
  }

  async function join(attempt = 0): Promise<void> {
    const own = createSinkGroup({
      resources,
      group,
      topic: topic.name,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      hooks: {
        assigned,
        crashed: (error) => {
          if (member !== own || stopped) return
          // Work goes on meanwhile: who owns a partition is a matter of speed, not of what is stored.
          void rejoin(fromKafkajs(`Group ${group}`, error, { group }), 0)
        },
      },
    })
    member = own
    try {
      await own.start()
    } catch (error) {
      await own.stop().catch(() => undefined)
      if (stopped || ending.signal.aborted) return
      if (!mayPass(error)) throw error
      await rejoin(error, attempt)
    }
  }

  async function rejoin(error: PipeError, attempt: number): Promise<void> {
    if (!error.retryable && !memberCodes.has((error as KafkaError).details?.errorCode ?? -1)) return settle(error)
    const inMs = Math.min(500 * 2 ** attempt, 10_000)
    onEvent({ kind: 'retry', partition: undefined, error, inMs })
    await sleep(inMs, ending.signal).catch(() => undefined)
    if (stopped || ending.signal.aborted) return
    await join(attempt + 1).catch(settle)
  }

  function run(
    how: { readonly signal?: AbortSignal | undefined; readonly deadline?: Duration | undefined } = {},
  ): Promise<SinkReport> {
    checkOptions('run', how, { optional: ['signal', 'deadline'] })
    if (ran || stopped) throw new KafkaError('PIPE_KAFKA_CLOSED', 'This sink has run already.', { hint: 'Make a new one.' })
    const { signal } = how
    const timer = how.deadline === undefined ? undefined : setTimeout(() => void stop().catch(settle), durationMs(how.deadline))
    const onAbort = () => settle(signal?.reason)
    if (signal?.aborted) onAbort()
    else {
      signal?.addEventListener('abort', onAbort, { once: true })
      void join().catch(settle)
    }
    ran = (async () => {
      try {
        return await done
      } finally {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        // After an error or an abort nothing more is written.
        await release(0)
      }
    })()
    return ran
  }

  let released: Promise<void> | undefined
  function release(ms: number): Promise<void> {
    released ??= (async () => {
      if (ms === 0) ending.abort(new KafkaError('PIPE_KAFKA_CLOSED', 'The sink was stopped.'))
      await member?.stop().catch(() => undefined)
      await Promise.all([...workers.values()].map((worker) => worker.ended))
      ending.abort(new KafkaError('PIPE_KAFKA_CLOSED', 'The sink was stopped.'))
      await cluster.close()
      store.close()
      disown()
    })()
    return released
  }

  async function stopOnce(deadlineMs: number, flush: boolean): Promise<SinkReport> {
    const timer = setTimeout(() => ending.abort(new KafkaError('PIPE_KAFKA_CLOSED', 'The sink was stopped.')), deadlineMs)
    try {
      for (const worker of workers.values()) worker.stop(flush)
      await Promise.all([...workers.values()].map((worker) => worker.ended))
      // A coordinator that does not answer must not hold the end up.
      await Promise.race([Promise.all(commits), sleep(2000, ending.signal).catch(() => undefined)])
      const last = report()
      await release(deadlineMs)
      settle()
      return last
    } finally {
      clearTimeout(timer)
    }
  }

  function stop(
    how: { readonly deadline?: Duration | undefined; readonly flush?: boolean | undefined } = {},
  ): Promise<SinkReport> {
    checkOptions('stop', how, { optional: ['deadline', 'flush'] })
    stopped ??= stopOnce(durationMs(how.deadline ?? '10 seconds'), how.flush ?? false)
    return stopped
  }

  const close = async () => {
    await stop()
  }
  return { run, done, stop, progress: report, close, [Symbol.asyncDispose]: close }
}

interface Worker {
  readonly partition: number
  readonly sink: PartitionSink
  /** Resolves when nothing is under way any more. Never rejects. */
  readonly ended: Promise<void>
  /** Ends after the step that is under way. */
  stop(flush?: boolean): void
}

/** UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS, MEMBER_ID_REQUIRED: joining again helps. */
const memberCodes: ReadonlySet<number> = new Set([22, 25, 27, 79])

/** How long a partition waits when nothing came: from the first to the second, in milliseconds. */
const idleMs = [20, 400] as const

/** Steps through a partition until it is stopped, and begins again after errors that pass. */
function runWorker(settings: {
  readonly partition: number
  readonly sink: PartitionSink
  readonly ending: AbortSignal
  readonly onEvent: SinkSettings['onEvent']
  readonly onFatal: (error: unknown) => void
}): Worker {
  const { partition, sink, ending, onEvent, onFatal } = settings
  const stopping = new AbortController()
  const pause = AbortSignal.any([ending, stopping.signal])
  let shouldFlush = false

  async function work(): Promise<void> {
    let failures = 0
    let idle: number = idleMs[0]
    while (!pause.aborted) {
      try {
        const came = await sink.step(ending)
        failures = 0
        idle = came ? idleMs[0] : Math.min(idle * 2, idleMs[1])
        if (!came) await sleep(idle, pause).catch(() => undefined)
      } catch (error) {
        if (ending.aborted) return
        sink.restart()
        if (!mayPass(error)) return onFatal(error)
        const inMs = Math.min(100 * 2 ** failures, 5000)
        failures++
        onEvent({ kind: 'retry', partition, error, inMs })
        await sleep(inMs, pause).catch(() => undefined)
      }
    }
    if (shouldFlush && !ending.aborted) await sink.flush(ending).catch((error) => !ending.aborted && onFatal(error))
  }

  return {
    partition,
    sink,
    ended: work().finally(() => sink.restart()),
    stop(flush = false) {
      shouldFlush = flush
      stopping.abort()
    },
  }
}
