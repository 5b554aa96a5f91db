import type { ObjectStore } from '@pipe/core'
import { stampMetadata } from '@pipe/core/internal'
import type { LogSink } from './sink'

/**
 * A sink into an object store that is already there. Closing the sink leaves the store open.
 *
 * Each object carries the producer's stamp (rows, bytes before compression, SHA-256) as metadata, so that a compactor knows what it must
 * account for. There is no Content-Encoding: HTTP clients would then unpack the object on the way.
 */
export function toStore(store: ObjectStore): LogSink {
  return {
    put: async (file, { signal }) => {
      await store.put(file.key, file.body, { metadata: stampMetadata(file), contentType: 'application/gzip', signal })
      return { uri: store.uri(file.key) }
    },
    close: () => {},
  }
}
