/** One line of a function's log. */
export interface LogEntry {
  /** Milliseconds by the clock of the runtime. */
  readonly timestamp: number
  /** Absent for what is logged outside an invocation. */
  readonly requestId?: string
  /** As in CloudWatch: `START RequestId: …`, `<time>\t<request>\tINFO\t<text>`, `END …`, `REPORT …`. */
  readonly message: string
}

/** The last log lines of a function. */
export interface LogBuffer {
  add(entry: LogEntry): void
  entries(): readonly LogEntry[]
}

/** Keeps the newest entries up to `maxBytes` of text; older ones are dropped, so that a runtime that serves for days does not grow. */
export function createLogBuffer(maxBytes: number): LogBuffer {
  const kept: LogEntry[] = []
  let bytes = 0
  return {
    add(entry) {
      kept.push(entry)
      bytes += entry.message.length
      let drop = 0
      while (bytes > maxBytes && drop < kept.length - 1) bytes -= kept[drop++]!.message.length
      if (drop > 0) kept.splice(0, drop)
    },
    entries: () => [...kept],
  }
}
