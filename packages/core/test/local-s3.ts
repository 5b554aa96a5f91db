import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
// The packages cannot depend on each other in a circle, so the tests of core take the local S3 from its source.
import { createS3Service } from '../../local/src/s3/service'
import { type Authorizer, AwsError, type Principal } from '../../local/src/service'
import { createEndpoint } from '../../local/src/wire'

const root: Principal = { name: 'root', accessKeyId: 'AKIALOCALROOT', secretAccessKey: 'root-secret' }
const guest: Principal = { name: 'guest', accessKeyId: 'AKIALOCALGUEST', secretAccessKey: 'guest-secret' }

/** A running S3 with one bucket, `lake`. */
export interface LocalS3 {
  readonly url: string
  /** A client of the root user. */
  readonly client: S3Client
  /** A client that is only allowed what `guestMay` says. */
  readonly guest: S3Client
  close(): Promise<void>
}

/** Starts the local S3 on a temporary directory. */
export async function startLocalS3(guestMay: (action: string) => boolean = () => false): Promise<LocalS3> {
  const dir = mkdtempSync(join(tmpdir(), 'pipe-core-s3-'))
  const isAllowed: Authorizer['isAllowed'] = ({ name }, action) => name === 'root' || guestMay(action)
  const authorizer: Authorizer = {
    isAllowed,
    authorize(principal, action, resource) {
      if (isAllowed(principal, action, resource)) return
      const user = `arn:aws:sts::123456789012:assumed-role/${principal.name}/session`
      throw new AwsError('AccessDenied', `User: ${user} is not authorized to perform: ${action} on resource: "${resource}"`, 403)
    },
  }
  const clock = { now: () => Date.now() }
  const service = await createS3Service({ dir, clock, authorizer })
  const principalOf = (key: string) => [root, guest].find(({ accessKeyId }) => accessKeyId === key)
  const endpoint = await createEndpoint({ services: [service], principalOf, now: clock.now })
  const clientOf = (credentials: Principal) =>
    new S3Client({ endpoint: endpoint.url, region: 'us-east-1', forcePathStyle: true, credentials })
  const clients = [clientOf(root), clientOf(guest)] as const
  await clients[0].send(new CreateBucketCommand({ Bucket: 'lake' }))
  return {
    url: endpoint.url,
    client: clients[0],
    guest: clients[1],
    async close() {
      for (const client of clients) client.destroy()
      await endpoint.close()
      await service.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
