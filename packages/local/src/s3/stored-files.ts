import { createHash } from 'node:crypto'
import type { BodyFiles } from './body-files'
import { smallBodyBytes } from './body-files'
import { createBodyWriter } from './body-writer'
import { checksumOf, createHasher } from './checksum'
import { type Digested, digestFiles } from './copy-source'
import type { ObjectFiles, StoredObject } from './object-files'
import type { ObjectRecord } from './object-record'
import { behindPrefix, utf8Order } from './sorted-keys'
import type { Store } from './store'
import { removeObject, storeObject, userDeletes } from './write-version'

/** {@link ObjectFiles} over a store. Calls on a bucket that does not exist throw NoSuchBucket, except `hasBucket` and `head`. */
export function createObjectFiles(store: Store): ObjectFiles {
  const { bodies } = store

  function stored(bucket: string, record: ObjectRecord): StoredObject {
    return {
      bucket,
      key: record.key,
      size: record.size,
      etag: record.etag,
      lastModified: record.lastModified,
      file: bodies.path(record.body),
      storageClass: record.storageClass,
      metadata: record.metadata,
      contentType: record.content['content-type'],
      contentEncoding: record.content['content-encoding'],
    }
  }

  function commit(bucket: string, key: string, body: number, digested: Digested, contentType: string | undefined): StoredObject {
    const record: ObjectRecord = {
      key,
      size: digested.size,
      etag: `"${digested.md5}"`,
      lastModified: store.now(),
      body,
      checksum: digested.checksum,
      storageClass: 'STANDARD',
      metadata: {},
      content: { 'content-type': contentType ?? 'binary/octet-stream' },
    }
    try {
      return stored(bucket, storeObject(store, store.bucket(bucket), 's3:ObjectCreated:Put', record))
    } catch (error) {
      bodies.discard(body)
      throw error
    }
  }

  return {
    dir: bodies.dir,
    hasBucket: (bucket) => store.find(bucket) !== undefined,
    head(bucket, key) {
      const record = store.find(bucket)?.get(key)
      return record && stored(bucket, record)
    },
    list(bucket, prefix) {
      const index = store.bucket(bucket)
      const ordered = utf8Order(prefix)
      const end = behindPrefix(ordered)
      const result: StoredObject[] = []
      const cursor = index.seek(ordered)
      for (let key = cursor.key(); key !== undefined && (end === undefined || key < end); key = cursor.key()) {
        result.push(stored(bucket, index.at(key)))
        cursor.next()
      }
      return result
    },
    async put(bucket, key, source, options) {
      store.bucket(bucket)
      if (typeof source === 'string' || source instanceof Uint8Array) {
        // A copy: the caller may use its bytes again.
        const bytes = Buffer.from(source as Uint8Array)
        if (bytes.length <= smallBodyBytes) {
          const digested = digestBytes(bytes)
          return commit(bucket, key, await bodies.write(bytes), digested, options?.contentType)
        }
        const written = await writeStream(bodies, [bytes])
        return commit(bucket, key, written.body, written, options?.contentType)
      }
      const written = await writeStream(bodies, source)
      return commit(bucket, key, written.body, written, options?.contentType)
    },
    async adoptFile(bucket, key, file, options) {
      store.bucket(bucket)
      const body = await bodies.adopt(file)
      try {
        const digested = await digestFiles([{ path: bodies.path(body) }], 'CRC64NVME')
        return commit(bucket, key, body, digested, options?.contentType)
      } catch (error) {
        bodies.discard(body)
        throw error
      }
    },
    async delete(bucket, key) {
      removeObject(store, store.bucket(bucket), key, store.now(), userDeletes)
    },
  }
}

function digestBytes(bytes: Buffer): Digested {
  return {
    size: bytes.length,
    md5: createHash('md5').update(bytes).digest('hex'),
    checksum: { algorithm: 'CRC64NVME', value: checksumOf('CRC64NVME', bytes), type: 'FULL_OBJECT' },
  }
}

async function writeStream(
  bodies: BodyFiles,
  source: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
): Promise<Digested & { readonly body: number }> {
  const writer = await createBodyWriter(bodies)
  const md5 = createHash('md5')
  const hasher = createHasher('CRC64NVME')
  try {
    for await (const chunk of source) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      md5.update(bytes)
      hasher.update(bytes)
      await writer.write(bytes)
    }
    await writer.finish()
  } catch (error) {
    await writer.abandon()
    throw error
  }
  return {
    size: writer.size,
    md5: md5.digest('hex'),
    checksum: { algorithm: 'CRC64NVME', value: hasher.digest().toString('base64'), type: 'FULL_OBJECT' },
    body: writer.body,
  }
}
