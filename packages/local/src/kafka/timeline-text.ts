import type { KafkaEvent } from './timeline'

/** Options of `timeline.text`, `timeline.svg` and `timeline.events`. */
export interface TimelineOptions {
  /** Only what concerns this topic; events without a topic (brokers, ways) stay. */
  readonly topic?: string
  /** Only what concerns this partition; events without one stay. */
  readonly partition?: number
  /** Only these kinds. */
  readonly kinds?: readonly KafkaEvent['kind'][]
}

/** The events that the options ask for. */
export function chosen(events: readonly KafkaEvent[], { topic, partition, kinds }: TimelineOptions): readonly KafkaEvent[] {
  return events.filter((event) => {
    if (kinds && !kinds.includes(event.kind)) return false
    if (topic !== undefined && 'topic' in event && event.topic !== topic) return false
    if (partition !== undefined && 'partition' in event && event.partition !== partition) return false
    return true
  })
}

/** One event in words, without its time and broker. */
export function wordsOf(event: KafkaEvent): string {
  const range = (from: number, to: number) => (to - from === 1 ? `${from}` : `${from}..${to - 1}`)
  switch (event.kind) {
    case 'append':
      return `append ${range(event.from, event.to)}`
    case 'replicate':
      return `copy ${range(event.from, event.to)} from ${event.leader}`
    case 'commit':
      return `committed < ${event.to}`
    case 'acknowledge':
      return event.errorCode === 0
        ? `acks=${ackName(event.acks)} ok ${event.from}`
        : `acks=${ackName(event.acks)} error ${event.errorCode}`
    case 'in-sync':
      return `in sync ${event.inSync.join(',')} (was ${event.was.join(',')})`
    case 'leader':
      return event.leader < 0
        ? 'no leader'
        : `leader ${event.leader}, epoch ${event.leaderEpoch}${event.unclean ? ', UNCLEAN' : ''}`
    case 'truncate':
      return `truncate ${event.from} -> ${event.to}`
    case 'delete':
      return `starts at ${event.to} (was ${event.from})`
    case 'broker':
      return event.state.toUpperCase()
    case 'link':
      return `way ${event.between.join('-')} ${event.state}`
    case 'group':
      return `group ${event.group} ${event.state}, generation ${event.generation}, ${event.members} member(s)`
    case 'offset':
      return `group ${event.group} commits ${event.offset}`
    case 'transaction':
      return `transaction ${event.transactionalId} ${event.state}`
    case 'fault':
      return `fault ${event.action}: ${event.api}`
  }
}

function ackName(acks: number): string {
  return acks === -1 ? 'all' : String(acks)
}

/** The broker in whose column an event stands; `undefined` for those of the controllers. */
export function brokerOf(event: KafkaEvent): number | undefined {
  return 'broker' in event ? event.broker : undefined
}

const columnWidth = 30

/**
 * The events as a table of text: time, controllers, and a column a broker.
 *
 * @example
 * ```
 *      ms  controllers                   broker 1                      broker 2
 *    12.1  leader 1, epoch 0
 *    20.4                                append 0
 *    20.6                                                              copy 0 from 1
 * ```
 */
export function timelineText(events: readonly KafkaEvent[], brokers: number, options: TimelineOptions = {}): string {
  const rows = chosen(events, options)
  const head = ['controllers', ...Array.from({ length: brokers }, (_, index) => `broker ${index + 1}`)]
  const line = (time: string, cells: readonly string[]) =>
    `${time.padStart(9)}  ${cells.map((cell) => cell.padEnd(columnWidth)).join('')}`.trimEnd()
  const places = new Set(rows.flatMap((event) => ('topic' in event ? `${event.topic}[${event.partition}]` : [])))
  const body = rows.map((event) => {
    const column = brokerOf(event) ?? 0
    const place = places.size > 1 && 'topic' in event ? `${event.topic}[${event.partition}] ` : ''
    return line(
      event.atMs.toFixed(1),
      Array.from({ length: column + 1 }, (_, index) => (index === column ? place + wordsOf(event) : '')),
    )
  })
  return [line('ms', head), ...body].join('\n')
}
