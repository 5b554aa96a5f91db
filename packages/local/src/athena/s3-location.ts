import { AthenaFailure } from './query-engine'

/** `s3://bucket/prefix/` taken apart. */
export interface S3Location {
  readonly bucket: string
  /** Without a leading slash; empty or ending in `/`. */
  readonly prefix: string
}

/**
 * Takes a location apart, adding the trailing slash that Athena adds.
 *
 * @throws {@link AthenaFailure} when it is not `s3://bucket/…`.
 */
export function parseLocation(location: string): S3Location {
  const match = /^s3[an]?:\/\/([^/]+)(?:\/(.*))?$/s.exec(location)
  if (!match) {
    throw new AthenaFailure(
      `FAILED: SemanticException Cannot make location: "${location}" is not of the form s3://bucket/prefix/`,
      {
        type: 1006,
      },
    )
  }
  const path = match[2] ?? ''
  return { bucket: match[1] as string, prefix: path === '' || path.endsWith('/') ? path : `${path}/` }
}

/** The location as text: `s3://bucket/prefix/`. */
export function locationText({ bucket, prefix }: S3Location): string {
  return `s3://${bucket}/${prefix}`
}
