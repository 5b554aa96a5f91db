/** What happened in a cluster, without its time. Offsets are numbers; ranges are half-open. */
export type KafkaHappening =
  /** A leader appended a batch. */
  | {
      readonly kind: 'append'
      readonly broker: number
      readonly topic: string
      readonly partition: number
      readonly from: number
      readonly to: number
      readonly leaderEpoch: number
    }
  /** A follower copied a stretch of the log. */
  | {
      readonly kind: 'replicate'
      readonly broker: number
      readonly leader: number
      readonly topic: string
      readonly partition: number
      readonly from: number
      readonly to: number
    }
  /** A leader moved its high watermark: everything before is committed. */
  | { readonly kind: 'commit'; readonly broker: number; readonly topic: string; readonly partition: number; readonly to: number }
  /** A producer was answered. */
  | {
      readonly kind: 'acknowledge'
      readonly broker: number
      readonly topic: string
      readonly partition: number
      readonly acks: number
      readonly from: number
      readonly errorCode: number
    }
  /** The set of in-sync replicas changed. */
  | {
      readonly kind: 'in-sync'
      readonly topic: string
      readonly partition: number
      readonly inSync: readonly number[]
      readonly was: readonly number[]
    }
  /** A leader was elected; −1 = there is none. `unclean`: it was not in sync. */
  | {
      readonly kind: 'leader'
      readonly topic: string
      readonly partition: number
      readonly leader: number
      readonly leaderEpoch: number
      readonly unclean: boolean
    }
  /** A replica dropped what its leader does not have: records `to` … `from` − 1 are gone. */
  | {
      readonly kind: 'truncate'
      readonly broker: number
      readonly topic: string
      readonly partition: number
      readonly from: number
      readonly to: number
    }
  /** Retention, compaction or DeleteRecords moved the start of a log. */
  | {
      readonly kind: 'delete'
      readonly broker: number
      readonly topic: string
      readonly partition: number
      readonly from: number
      readonly to: number
    }
  | {
      readonly kind: 'broker'
      readonly broker: number
      readonly state: 'started' | 'killed' | 'stopped' | 'paused' | 'continued' | 'fenced' | 'unfenced'
    }
  /** The way between two brokers, or between a broker and the controllers (`controller`). */
  | { readonly kind: 'link'; readonly between: readonly [number, number | 'controller']; readonly state: 'cut' | 'mended' }
  | {
      readonly kind: 'group'
      readonly broker: number
      readonly group: string
      readonly state: string
      readonly generation: number
      readonly members: number
    }
  | {
      readonly kind: 'offset'
      readonly broker: number
      readonly group: string
      readonly topic: string
      readonly partition: number
      readonly offset: number
    }
  | {
      readonly kind: 'transaction'
      readonly broker: number
      readonly transactionalId: string
      readonly state: string
      readonly producerId: bigint
      readonly producerEpoch: number
    }
  /** A fault rule took a request. */
  | { readonly kind: 'fault'; readonly broker: number; readonly api: string; readonly action: string }

/** What happened, and when: milliseconds of real time since the cluster was started. */
export type KafkaEvent = KafkaHappening & { readonly atMs: number }

/** The last happenings of a cluster. */
export interface Timeline {
  /** Oldest first; the last 20 000. */
  events(): readonly KafkaEvent[]
  record(happening: KafkaHappening): void
  clear(): void
}

const kept = 20_000

/** An empty timeline that starts now. */
export function createTimeline(): Timeline {
  const start = performance.now()
  let events: KafkaEvent[] = []
  return {
    events: () => events.slice(-kept),
    record(happening) {
      events.push({ atMs: Math.round((performance.now() - start) * 1000) / 1000, ...happening })
      // Cut now and then, not at each: a shift of a long array costs.
      if (events.length > 2 * kept) events = events.slice(-kept)
    },
    clear() {
      events = []
    },
  }
}
