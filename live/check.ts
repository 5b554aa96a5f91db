import type { S3Location } from '@pipe/core'

/** Where the checks run, and what they may touch. */
export interface LiveContext {
  /** A prefix of this run alone; removed at the end. */
  readonly location: S3Location
  readonly workgroup: string
  /** `host:port` of Kafka brokers. Empty: the Kafka checks are left out. */
  readonly brokers: readonly string[]
  /** Unique to this run; part of every name that is made. */
  readonly runId: string
  readonly signal: AbortSignal
}

/** Something that these packages rely on and only the real service can confirm. */
export interface LiveCheck {
  /** One sentence that is true or not. */
  readonly claim: string
  /** Throws, or returns what differs, when it is not. `undefined`: it holds. */
  run(context: LiveContext): Promise<string | undefined>
}

/** Checks of one service. */
export interface LiveSuite {
  readonly name: string
  /** Requests and queries that it makes at most, for the estimate. */
  readonly cost: { readonly puts: number; readonly gets: number; readonly queries: number }
  /** Why it cannot run here; `undefined` when it can. */
  skipped?(context: LiveContext): string | undefined
  checks(context: LiveContext): readonly LiveCheck[] | Promise<readonly LiveCheck[]>
}

/** What became of a check. */
export interface LiveResult {
  readonly suite: string
  readonly claim: string
  readonly outcome: 'holds' | 'differs' | 'failed' | 'skipped'
  readonly detail: string
}

/** Runs the suites one after the other; a check that throws does not stop the others. */
export async function runSuites(
  suites: readonly LiveSuite[],
  context: LiveContext,
  onResult: (result: LiveResult) => void,
): Promise<LiveResult[]> {
  const results: LiveResult[] = []
  const add = (result: LiveResult) => {
    results.push(result)
    onResult(result)
  }
  for (const suite of suites) {
    const why = suite.skipped?.(context)
    if (why !== undefined) {
      add({ suite: suite.name, claim: 'all of it', outcome: 'skipped', detail: why })
      continue
    }
    for (const { claim, run } of await suite.checks(context)) {
      context.signal.throwIfAborted()
      try {
        const difference = await run(context)
        add({ suite: suite.name, claim, outcome: difference === undefined ? 'holds' : 'differs', detail: difference ?? '' })
      } catch (error) {
        context.signal.throwIfAborted()
        add({ suite: suite.name, claim, outcome: 'failed', detail: error instanceof Error ? error.message : String(error) })
      }
    }
  }
  return results
}
