import {
  createObjectStore,
  type ObjectBody,
  type ObjectStore,
  type ObjectStoreOptions,
  PipeError,
  type S3Location,
} from '@pipe/core'

/** Opens a bucket of S3. */
export type OpenStore = (bucket: S3Location) => ObjectStore

/** Splits `s3://bucket/key`. */
export function splitUri(uri: string): { readonly bucket: S3Location; readonly key: string } {
  const at = uri.indexOf('/', 's3://'.length) + 1
  return { bucket: uri.slice(0, at) as S3Location, key: uri.slice(at) }
}

/** Opens buckets with one client, each once. */
export function createStores(client: ObjectStoreOptions['client']): { readonly open: OpenStore; close(): void } {
  const stores = new Map<S3Location, ObjectStore>()
  return {
    open: (bucket) => {
      const store = stores.get(bucket) ?? createObjectStore({ location: bucket, ...(client && { client }) })
      stores.set(bucket, store)
      return store
    },
    close: () => {
      for (const store of stores.values()) store.close()
      stores.clear()
    },
  }
}

/**
 * Opens a result object.
 *
 * @throws {@link PipeError} `PIPE_ATHENA_RESULT` when it is gone, `PIPE_IAM_DENIED` when it may not be read.
 */
export async function openResultObject(open: OpenStore, uri: string, signal: AbortSignal | undefined): Promise<ObjectBody> {
  const { bucket, key } = splitUri(uri)
  const object = await open(bucket).get(key, signal === undefined ? {} : { signal })
  if (object === undefined) {
    throw new PipeError('PIPE_ATHENA_RESULT', `The result ${uri} is gone.`, {
      hint: 'A lifecycle rule or somebody deleted it: run the query again.',
      details: { file: uri },
    })
  }
  return object
}
