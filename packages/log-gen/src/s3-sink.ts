import type { S3Client } from '@aws-sdk/client-s3'
import { createObjectStore, type ObjectStore, parseLocation, type S3Location } from '@pipe/core'
import { checkOptions, stampMetadata } from '@pipe/core/internal'
import type { LogSink } from './sink'

/**
 * A sink into S3: one PutObject a file, the key below the location. The function needs `s3:PutObject` on it and nothing else.
 *
 * Each object carries the producer's stamp (rows, bytes before compression, SHA-256) as metadata, so that a compactor knows what it must
 * account for. There is no Content-Encoding: HTTP clients would then unpack the object on the way.
 *
 * @param options.client default: one made from the standard environment with the first file (`AWS_ENDPOINT_URL` works).
 * @throws {@link ConfigError} `PIPE_LOCATION`, `PIPE_CONFIG`; {@link PipeError} `PIPE_IAM_DENIED` from `put` when S3 refuses.
 * @example
 * ```ts
 * export const handler = logGeneratorHandler({ log, sink: toS3('s3://lake/raw/') })
 * ```
 */
export function toS3(location: S3Location, options: { readonly client?: S3Client | undefined } = {}): LogSink {
  checkOptions('toS3', options, { optional: ['client'] })
  parseLocation(location)
  const store = createObjectStore({ location, ...options })
  return { ...toStore(store), close: () => store.close() }
}

/** {@link toS3} into an object store that is already there. Closing the sink leaves the store open. */
export function toStore(store: ObjectStore): LogSink {
  return {
    put: async (file, { signal }) => {
      await store.put(file.key, file.body, { metadata: stampMetadata(file), contentType: file.contentType, signal })
      return { uri: store.uri(file.key) }
    },
    close: () => {},
  }
}
