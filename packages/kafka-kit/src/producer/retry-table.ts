/** What an answer of the broker about one batch means for it. */
export interface Verdict {
  readonly kind:
    | 'written'
    /** It is in the log already, at an offset that the broker does not name. */
    | 'duplicate'
    | 'retry'
    /** The sequence number or the producer id is not what the broker expects. */
    | 'new-id'
    /** Too large as it is: halves may fit. */
    | 'split'
    | 'fatal'
  /** Whether the batch may stand in the log in spite of the error. */
  readonly mayBeWritten: boolean
  /** Whether leaders may have moved. */
  readonly refresh: boolean
}

const verdict = (kind: Verdict['kind'], options: { mayBeWritten?: boolean; refresh?: boolean } = {}): Verdict => ({
  kind,
  mayBeWritten: options.mayBeWritten ?? false,
  refresh: options.refresh ?? false,
})

const retryElsewhere = verdict('retry', { refresh: true })
const retryHere = verdict('retry')
const retryMaybe = verdict('retry', { mayBeWritten: true })
const fatal = verdict('fatal')

const table: ReadonlyMap<number, Verdict> = new Map([
  [0, verdict('written')],
  [46, verdict('duplicate')],
  // Unknown topic or partition, no leader, not the leader, leader epochs: metadata is old.
  [3, retryElsewhere],
  [5, retryElsewhere],
  [6, retryElsewhere],
  [74, retryElsewhere],
  [75, retryElsewhere],
  // Timed out waiting for replicas, too few replicas after the append: the leader has it.
  [7, retryMaybe],
  [20, retryMaybe],
  // Network and disk errors of the broker: after which step is not said.
  [13, verdict('retry', { mayBeWritten: true, refresh: true })],
  [56, verdict('retry', { mayBeWritten: true, refresh: true })],
  // Too few replicas: refused before the append.
  [19, retryHere],
  [10, verdict('split')],
  [18, verdict('split')],
  [45, verdict('new-id')],
  [47, verdict('new-id')],
  [59, verdict('new-id')],
  // Refused before the append, and would be again: checksum, topic, authorisation, acks, timestamp, version, request, format, policy,
  // compression, record.
  ...[2, 17, 21, 29, 31, 32, 35, 42, 43, 44, 48, 49, 53, 76, 87, 90].map((code) => [code, fatal] as const),
])

const unknown = verdict('fatal', { mayBeWritten: true })

/** The verdict on an error code of a Produce response. Codes that are not known end the batch, outcome unknown. */
export function verdictOf(errorCode: number): Verdict {
  return table.get(errorCode) ?? unknown
}

/** Milliseconds before the next try: 100 ms, doubled up to 5 s, ±20 %. `attempt` counts from 1; `random` is uniform in [0, 1). */
export function backOffMs(attempt: number, random: () => number): number {
  return Math.min(5000, 100 * 2 ** Math.min(attempt - 1, 10)) * (0.8 + 0.4 * random())
}
