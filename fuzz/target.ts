/** A parser that reads bytes of strangers. */
export interface FuzzTarget {
  readonly name: string
  /** Inputs of this target for each million in all: slow parsers get fewer. */
  readonly perMillion: number
  /** Inputs that it accepts: where mutation begins. */
  corpus(): readonly Buffer[] | Promise<readonly Buffer[]>
  /** What the grammar is made of. */
  readonly words?: readonly string[]
  /**
   * Reads one input. Returns whether it was taken or refused in the parser's own words; whatever it throws is a crash, as is what it
   * finds untrue of the result.
   */
  read(input: Buffer): Verdict | Promise<Verdict>
}

export type Verdict = 'taken' | 'refused'

/** `refused` for the errors that a parser may answer with, else the error goes on. */
export function refusedBy(...kinds: readonly ((error: unknown) => boolean)[]): (run: () => unknown) => Verdict {
  return (run) => {
    try {
      run()
      return 'taken'
    } catch (error) {
      if (kinds.some((isKind) => isKind(error))) return 'refused'
      throw error
    }
  }
}

/** Whether an error is of this class. */
export function isA(kind: abstract new (...args: never) => unknown): (error: unknown) => boolean {
  return (error) => error instanceof kind
}

/** Fails the input: the parser took it and says something untrue. */
export function mustHold(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}
