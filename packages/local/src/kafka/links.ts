import type { Timeline } from './timeline'

/** One end of a way: a broker, or the controllers. */
export type LinkEnd = number | 'controller'

/** The ways between the brokers, and from each of them to the controllers. Clients are not concerned. */
export interface Links {
  isOpen(broker: number, other: LinkEnd): boolean
  cut(broker: number, other: LinkEnd): void
  mend(broker: number, other: LinkEnd): void
}

/** All ways are open. `changed` hears of every way that was cut or mended. */
export function createLinks(timeline: Timeline, changed: (broker: number, other: LinkEnd, isOpen: boolean) => void): Links {
  const cut = new Set<string>()
  const keyOf = (broker: number, other: LinkEnd) =>
    other === 'controller' ? `${broker}/controller` : `${Math.min(broker, other)}/${Math.max(broker, other)}`
  return {
    isOpen: (broker, other) => broker === other || cut.size === 0 || !cut.has(keyOf(broker, other)),
    cut(broker, other) {
      if (cut.has(keyOf(broker, other))) return
      cut.add(keyOf(broker, other))
      timeline.record({ kind: 'link', between: [broker, other], state: 'cut' })
      changed(broker, other, false)
    },
    mend(broker, other) {
      if (!cut.delete(keyOf(broker, other))) return
      timeline.record({ kind: 'link', between: [broker, other], state: 'mended' })
      changed(broker, other, true)
    },
  }
}
