import { ConfigError } from './error'

/** A place in S3: `s3://bucket/` or `s3://bucket/prefix/`. */
export type S3Location = `s3://${string}`

/**
 * Splits a place in S3. The prefix is empty or ends in a slash.
 *
 * @throws {@link ConfigError} `PIPE_LOCATION` when it is not `s3://bucket/` or `s3://bucket/prefix/`.
 */
export function parseLocation(location: string): { readonly bucket: string; readonly prefix: string } {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.*)$/s.exec(location)
  if (!match || (match[2] !== '' && !match[2]!.endsWith('/')) || match[2]!.startsWith('/')) {
    throw new ConfigError(`${JSON.stringify(location)} is not a place in S3.`, {
      code: 'PIPE_LOCATION',
      hint: 'Write s3://bucket/ or s3://bucket/prefix/ with the trailing slash.',
    })
  }
  return { bucket: match[1]!, prefix: match[2]! }
}
