import { protocolFailure } from '../errors'
import { byTopic, type TopicPartition } from '../leader-request'
import type { Assignment } from './assignment'
import type { ConsumerEvent } from './consumer-event'
import type { Membership } from './membership'

/** Something to commit that is not the place of an assignment. */
export interface CommitItem extends TopicPartition {
  readonly offset: bigint
  /** The group has it. */
  readonly settle: () => void
}

/** Commits what is done, partition by partition up to the first record that is not. */
export interface Committer {
  /**
   * Commits now.
   *
   * @returns whether the group has everything that could be committed.
   */
  flush(): Promise<boolean>
  /** Commits soon: at the latest after the interval. */
  schedule(): void
  close(): void
}

/** UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, FENCED_INSTANCE_ID: these offsets are no longer ours to commit. */
const fencedCodes: ReadonlySet<number> = new Set([22, 25, 82])

/** Makes the committer of one member. */
export function createCommitter(settings: {
  readonly group: string
  readonly everyMs: number
  readonly membership: () => Membership
  readonly assignments: () => readonly Assignment[]
  readonly others?: (() => readonly CommitItem[]) | undefined
  readonly onEvent: (event: ConsumerEvent) => void
  readonly onFenced: (reason: string) => void
}): Committer {
  const { group, everyMs, onEvent } = settings
  let timer: NodeJS.Timeout | undefined
  let running: Promise<boolean> | undefined
  let isClosed = false

  function due(): CommitItem[] {
    const found = [...(settings.others?.() ?? [])]
    for (const assignment of settings.assignments()) {
      const offset = assignment.log?.tracker.committable
      if (!assignment.isOwned || offset === undefined || offset === assignment.committed) continue
      const settle = () => {
        assignment.committed = offset
      }
      found.push({ topic: assignment.topic.name, partition: assignment.partition, offset, settle })
    }
    return found
  }

  async function commitOnce(): Promise<boolean> {
    const wanted = due()
    if (wanted.length === 0) return true
    const topics = byTopic(wanted, ({ partition, offset }) => ({ partition, offset, leaderEpoch: -1, metadata: null }))
    try {
      const results = await settings.membership().commit(topics)
      let failure: number | undefined
      for (const { topic, partition, errorCode } of results) {
        const one = wanted.find((item) => item.topic === topic && item.partition === partition)
        if (errorCode === 0) one?.settle()
        else failure = errorCode
      }
      if (failure === undefined) return true
      const error = protocolFailure(`Commit of group ${group}`, failure, { group })
      onEvent({ kind: 'commit-failed', error })
      if (fencedCodes.has(failure)) settings.onFenced(error.message)
      return false
    } catch (error) {
      onEvent({ kind: 'commit-failed', error })
      return false
    }
  }

  async function flush(): Promise<boolean> {
    clearTimeout(timer)
    timer = undefined
    // What is under way may have been gathered before the newest record was done.
    if (running) await running
    running ??= commitOnce().finally(() => {
      running = undefined
    })
    return running
  }

  const committer: Committer = {
    flush,
    schedule() {
      if (isClosed) return
      timer ??= setTimeout(() => {
        timer = undefined
        void flush().then((isComplete) => {
          if (!isComplete) committer.schedule()
        })
      }, everyMs)
    },
    close() {
      isClosed = true
      clearTimeout(timer)
    },
  }
  return committer
}
