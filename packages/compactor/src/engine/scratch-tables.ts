import { identifier, type SqlFragment, sql } from '@pipe/athena-query'
import type { Attempt } from '../state'

/** Tables that an attempt makes for itself, under its own names. Dropping them leaves their data where it is. */
export interface ScratchTables {
  /** A new name. The table is dropped at the end. */
  name(): string
  /**
   * Runs work and drops the tables, also when it fails. After an abort there is no time for it: the attempt's record names what stays.
   */
  around<T>(work: () => Promise<T>): Promise<T>
}

/** Scratch tables of an attempt. `execute` runs a statement. */
export function scratchTables(
  { scratchName }: Attempt,
  execute: (statement: SqlFragment) => Promise<void>,
  signal: AbortSignal | undefined,
): ScratchTables {
  const made: string[] = []
  return {
    name() {
      const name = made.length === 0 ? scratchName : `${scratchName}_${made.length}`
      made.push(name)
      return name
    },
    async around(work) {
      let failure: { readonly error: unknown } | undefined
      let result: Awaited<ReturnType<typeof work>> | undefined
      try {
        result = await work()
      } catch (error) {
        failure = { error }
      }
      if (!signal?.aborted) {
        for (const name of made) {
          try {
            await execute(sql`DROP TABLE IF EXISTS ${identifier(name)}`)
          } catch (error) {
            // The first failure says what went wrong.
            failure ??= { error }
          }
        }
      }
      if (failure !== undefined) throw failure.error
      return result as Awaited<ReturnType<typeof work>>
    },
  }
}
