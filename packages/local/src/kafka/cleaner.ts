import type { RuntimeClock } from '../clock'
import type { Broker, Cleaner } from './broker-node'
import { compact } from './log/compaction'
import { dueAt, retainedStart, retentionSettings } from './log/retention'
import type { Replica } from './replica'

/** Looks every `log.retention.check.interval.ms`, but only when something can be due: an idle cluster costs no ticks of a virtual clock. */
export function createCleaner(clock: RuntimeClock, brokers: () => readonly Broker[], intervalMs: number): Cleaner {
  let scheduledAt = Number.POSITIVE_INFINITY
  let cancel = () => {}

  const notice = (due: number) => {
    // At the next look, as Kafka has it; never now, while something is being written.
    const at = Math.ceil(Math.max(clock.now() + 1, due) / intervalMs) * intervalMs
    if (at >= scheduledAt) return
    cancel()
    scheduledAt = at
    cancel = clock.schedule(at, run)
  }

  function run(): void {
    scheduledAt = Number.POSITIVE_INFINITY
    const now = clock.now()
    for (const broker of brokers()) {
      if (!broker.isUp()) continue
      for (const replica of broker.replicas) clean(replica, broker, now)
      const expiry = broker.groups.expire(now)
      if (expiry !== undefined) notice(expiry)
    }
  }

  function clean(replica: Replica, broker: Broker, now: number): void {
    const { log, highWatermark, producers } = replica
    const settings = broker.topicSettings(replica.topic)
    const retention = retentionSettings(settings)
    if (retention.deletes && replica.role.kind === 'leader') {
      // Followers hear of it from their leader.
      replica.moveStart(retainedStart(log, retention, highWatermark, now))
      const due = dueAt(log, retention)
      if (due !== undefined) notice(due)
    }
    if (retention.compacts && log.segments.length > 1) {
      const next = compact(log, producers, {
        now,
        before: producers.lastStableOffset(highWatermark),
        tombstoneMs: settings.number('delete.retention.ms'),
        minLagMs: settings.number('min.compaction.lag.ms'),
      })
      if (next !== undefined) notice(next)
    }
  }

  return {
    notice,
    appended(replica, settings) {
      const retention = retentionSettings(settings)
      const { log } = replica
      const due = dueAt(log, retention)
      if (due !== undefined) notice(due)
      const isTooMuch = retention.deletes && retention.retentionBytes >= 0 && log.sizeBytes > retention.retentionBytes
      if ((isTooMuch || retention.compacts) && log.segments.length > 1) notice(clock.now())
    },
    run,
    close: () => cancel(),
  }
}
