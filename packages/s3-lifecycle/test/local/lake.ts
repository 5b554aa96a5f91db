import { CreateBucketCommand, PutObjectCommand, type PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3'
import { type Local, startLocal, type VirtualClock, virtualClock } from '@pipe/local'

/** The local S3 with one bucket, `lake`, on a clock that the test moves. */
export interface Lake {
  readonly local: Local<VirtualClock>
  readonly client: S3Client
  put(key: string, bytes: number, more?: Partial<PutObjectCommandInput>): Promise<void>
  close(): Promise<void>
}

/** Starts it at an instant. */
export async function startLake(at: Date): Promise<Lake> {
  const local = await startLocal({ clock: virtualClock(at.toISOString()) })
  const client = new S3Client({ ...local.aws, maxAttempts: 1 })
  await client.send(new CreateBucketCommand({ Bucket: 'lake' }))
  return {
    local,
    client,
    async put(Key, bytes, more = {}) {
      await client.send(new PutObjectCommand({ Bucket: 'lake', Key, Body: Buffer.alloc(bytes, 'x'), ...more }))
    },
    async close() {
      client.destroy()
      await local.close()
    },
  }
}
