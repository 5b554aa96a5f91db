/** Something that is done again and again until it is stopped. */
export interface Load {
  /** Resolves after the last turn. @throws what a turn threw. */
  stop(): Promise<void>
}

/** Calls `each` with 0, 1, 2 …, `perTurn` times every five milliseconds. */
export function startLoad(perTurn: number, each: (index: number) => void): Load {
  let isRunning = true
  const running = (async () => {
    for (let turn = 0; isRunning; turn++) {
      for (let i = 0; i < perTurn; i++) each(turn * perTurn + i)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  // Who stops it hears of it.
  running.catch(() => undefined)
  return {
    stop() {
      isRunning = false
      return running
    },
  }
}
