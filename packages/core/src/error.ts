/** Options of {@link PipeError}. */
export interface PipeErrorOptions<Details extends object = object> {
  /** What the caller can do about it, one sentence. Appended to the message. */
  readonly hint?: string | undefined
  /** The error underneath, kept as `cause`. */
  readonly cause?: unknown
  /** Whether the same call may succeed later without a change. Default `false`. */
  readonly retryable?: boolean | undefined
  /** Where it happened, as data: key, line, offset, action … */
  readonly details?: Details | undefined
}

const brand = Symbol.for('@pipe/error')

/**
 * Every error that a `@pipe` package throws on purpose. `code` is stable across versions; the message says what, where, why
 * and what to do.
 *
 * Use {@link PipeError.isInstance}, not `instanceof`: an application may hold two copies of a package (its ESM and its CJS
 * build), whose classes differ.
 *
 * @example
 * ```ts
 * try { await compactor.run({ at }) } catch (error) {
 *   if (PipeError.isInstance(error) && error.code === 'PIPE_IAM_DENIED') console.error(error.hint)
 * }
 * ```
 */
export class PipeError<Details extends object = object> extends Error {
  readonly code: string
  readonly retryable: boolean
  readonly hint: string | undefined
  readonly details: Details

  constructor(code: string, message: string, options: PipeErrorOptions<Details> = {}) {
    const text = options.hint === undefined ? message : `${message} ${options.hint}`
    super(`${code} ${text}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'PipeError'
    this.code = code
    this.retryable = options.retryable ?? false
    this.hint = options.hint
    this.details = options.details ?? ({} as Details)
    // A `[brand] = true` class field breaks declaration builds under isolatedDeclarations.
    Object.defineProperty(this, brand, { value: true })
  }

  /** True for every PipeError, of whichever copy or build of the package. */
  static isInstance(error: unknown): error is PipeError {
    return typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[brand] === true
  }
}

/** A configuration or argument that can never work. `code` is `PIPE_CONFIG` unless a package names its own. Never retryable. */
export class ConfigError extends PipeError {
  constructor(message: string, options: PipeErrorOptions & { readonly code?: string } = {}) {
    super(options.code ?? 'PIPE_CONFIG', message, options)
    this.name = 'ConfigError'
  }
}
