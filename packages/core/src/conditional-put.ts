import { randomUUID } from 'node:crypto'
import type { PutObjectCommandInput } from '@aws-sdk/client-s3'
import { PipeError } from './error'
import type { PutOptions } from './object-store'
import { isRetryable, retry } from './retry'
import { isMissing, nonceKey, type S3Prefix, statusOf } from './s3-prefix'

/** Attempts of one conditional write, beyond those that the SDK makes by itself. */
export const conditionalAttempts = 6

/** A conditional write of one object, and what its ends are called. */
export interface ConditionalPut<Outcome> {
  readonly key: string
  readonly body: Uint8Array | string
  readonly put: PutOptions
  readonly condition: { readonly IfNoneMatch: '*' } | { readonly IfMatch: string }
  written(etag: string): Outcome
  /**
   * Gets what stands there after a 412 or a failure; returns the outcome, or `undefined` to write again (with the same nonce, so
   * that an earlier try that lands late is still recognised as ours).
   */
  decided(found: { readonly theirs: string } | 'absent', wasRefused: boolean): Outcome | undefined
}

type ReadBack = { readonly ours: string } | { readonly theirs: string } | 'absent'

/** Runs a conditional PUT until its outcome is known, also when a reply was lost. Throws `PIPE_OBJECT_AMBIGUOUS` when it cannot be. */
export async function putConditionally<Outcome>(s3: S3Prefix, write: ConditionalPut<Outcome>): Promise<Outcome> {
  const { key, put } = write
  const { signal } = put
  const nonce = randomUUID()
  const { PutObjectCommand } = await s3.sdk()
  const input = {
    ...s3.place(key),
    ...putInput({ ...put, metadata: { ...put.metadata, [nonceKey]: nonce } }),
    ...write.condition,
    Body: write.body,
  }

  const tryOnce = async (attempt: number): Promise<Outcome> => {
    let failure: unknown
    try {
      const reply = await (await s3.client()).send(new PutObjectCommand(input), { ...(signal && { abortSignal: signal }) })
      return write.written(reply.ETag!)
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      failure = error
    }
    if (isKnownNotWritten(failure)) throw failure
    const found = await readBack(s3, key, nonce, signal, failure)
    if (found !== 'absent' && 'ours' in found) return write.written(found.ours)
    const status = statusOf(failure)
    const outcome = write.decided(found, status === 412 || status === 404)
    if (outcome !== undefined) return outcome
    if (attempt >= conditionalAttempts)
      throw ambiguous(s3, key, `${attempt} tries failed (${(failure as Error).name}) and it is not there`, failure)
    throw new Undecided(failure)
  }

  return s3.call('s3:PutObject', key, signal, () =>
    retry(tryOnce, {
      attempts: conditionalAttempts,
      isRetryable: (error) => error instanceof Undecided || statusOf(error) === 409,
      ...(signal && { signal }),
    }),
  )
}

/** Metadata, type and storage class of an object, as the SDK wants them. */
export function putInput(put: PutOptions): Partial<PutObjectCommandInput> {
  return {
    ...(put.metadata && { Metadata: { ...put.metadata } }),
    ...(put.contentType && { ContentType: put.contentType }),
    ...(put.contentEncoding && { ContentEncoding: put.contentEncoding }),
    ...(put.storageClass && { StorageClass: put.storageClass as NonNullable<PutObjectCommandInput['StorageClass']> }),
  }
}

/** A write that is known not to have taken place and may be tried again. */
class Undecided extends Error {
  constructor(cause: unknown) {
    super('undecided', { cause })
  }
}

/** 409: another conditional write is in progress. Any other clear refusal (but 404 and 412, which speak of the object): nothing was written. */
function isKnownNotWritten(failure: unknown): boolean {
  const status = statusOf(failure)
  if (status === undefined || status < 400 || status >= 500) return false
  if (status === 404) return !isMissing(failure)
  return status === 409 || (status !== 412 && !isRetryable(failure))
}

/** What stands at a key after a write of unknown outcome. */
async function readBack(
  s3: S3Prefix,
  key: string,
  nonce: string,
  signal: AbortSignal | undefined,
  cause: unknown,
): Promise<ReadBack> {
  try {
    const found = await s3.headOf(key, signal)
    if (found === undefined) return 'absent'
    return found.nonce === nonce ? { ours: found.etag } : { theirs: found.etag }
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw ambiguous(s3, key, `it cannot be read back (${(error as Error).name})`, cause)
  }
}

function ambiguous({ location, bucket, prefix }: S3Prefix, key: string, why: string, cause: unknown): PipeError {
  return new PipeError('PIPE_OBJECT_AMBIGUOUS', `Whether the write of ${location}${key} took place is not known: ${why}.`, {
    hint: 'Nothing was deleted. Read the object before writing again.',
    cause,
    details: { bucket, key: prefix + key },
  })
}
