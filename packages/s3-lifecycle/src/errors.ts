import { PipeError, type PipeErrorOptions } from '@pipe/core'
import type { Finding } from './finding'

/** Where an error of this package happened. What is not known is absent. */
export interface LifecycleErrorDetails {
  readonly bucket?: string | undefined
  readonly key?: string | undefined
  /** What {@link validateLifecycle} found. */
  readonly findings?: readonly Finding[] | undefined
  /** Objects concerned. */
  readonly objects?: number | undefined
  readonly bytes?: number | undefined
  /** Ids of the rules concerned. */
  readonly rules?: readonly string[] | undefined
}

/**
 * Something that this package refuses or that S3 refused. Codes:
 *
 * - `PIPE_LIFECYCLE_RULE`, `PIPE_LIFECYCLE_SCOPE`: a rule that AWS would reject, with its own text in `details.findings`;
 * - `PIPE_LIFECYCLE_INPUT`: objects, prices or listings that cannot be read;
 * - `PIPE_LIFECYCLE_INVENTORY`: an inventory that cannot be read, with the file and the line;
 * - `PIPE_LIFECYCLE_REFUSED`: a plan that deletes or moves what it must not;
 * - `PIPE_LIFECYCLE_MAX_DELETE`: a plan deletes more than `maxDelete` allows;
 * - `PIPE_LIFECYCLE_CHANGED`: the configuration changed since the plan was made; nothing was written;
 * - `PIPE_LIFECYCLE_UNVERIFIED` (retryable): written, but S3 does not show it yet;
 * - `PIPE_LIFECYCLE_BUCKET`, `PIPE_LIFECYCLE_S3`: no such bucket; another failure of S3.
 */
export class LifecycleError extends PipeError<LifecycleErrorDetails> {
  constructor(code: string, message: string, options: PipeErrorOptions<LifecycleErrorDetails> = {}) {
    super(code, message, options)
    this.name = 'LifecycleError'
  }
}
