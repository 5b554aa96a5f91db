import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { createS3Service, type S3Service } from '../../src/s3/service'
import { type Authorizer, AwsError, type Principal } from '../../src/service'
import { createEndpoint, type Endpoint } from '../../src/wire'

export const root: Principal = { name: 'root', accessKeyId: 'AKIALOCALROOT', secretAccessKey: 'root-secret' }
export const reader: Principal = { name: 'reader', accessKeyId: 'AKIALOCALREADER', secretAccessKey: 'reader-secret' }

/** One call of the authorizer, as recorded. */
export interface Authorized {
  readonly principal: string
  readonly action: string
  readonly resource: string
  readonly context: Readonly<Record<string, string>>
}

/** Allows everything to root and, to the others, what `allowed` says; records every question. */
export function recordingAuthorizer(allowed: (principal: Principal, action: string) => boolean = () => true): {
  readonly calls: Authorized[]
  readonly authorizer: Authorizer
} {
  const calls: Authorized[] = []
  const isAllowed: Authorizer['isAllowed'] = (principal, action) => principal.name === 'root' || allowed(principal, action)
  return {
    calls,
    authorizer: {
      isAllowed,
      authorize(principal, action, resource, context = {}) {
        calls.push({ principal: principal.name, action, resource, context })
        if (!isAllowed(principal, action, resource))
          throw new AwsError('AccessDenied', `${principal.name} may not ${action} on ${resource}`, 403)
      },
    },
  }
}

/** A running endpoint with S3 behind it. */
export interface S3Server {
  readonly dir: string
  readonly endpoint: Endpoint
  readonly service: S3Service
  readonly calls: Authorized[]
  readonly clock: { time: number }
  client(config?: S3ClientConfig, principal?: Principal): S3Client
  /** Closes service and endpoint and opens both on the same directory. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** Starts S3 on a temporary directory. */
export async function startS3(
  options: { readonly allowed?: (principal: Principal, action: string) => boolean } = {},
): Promise<S3Server> {
  const dir = mkdtempSync(join(tmpdir(), 'pipe-s3-'))
  const { calls, authorizer } = recordingAuthorizer(options.allowed)
  const clock = { time: Date.parse('2026-11-24T12:00:00.250Z') }
  const clients: S3Client[] = []
  const open = async () => {
    const service = await createS3Service({ dir, clock: { now: () => clock.time }, authorizer })
    const endpoint = await createEndpoint({
      services: [service],
      principalOf: (key) => [root, reader].find((principal) => principal.accessKeyId === key),
      now: () => clock.time,
    })
    return { service, endpoint }
  }
  let running = await open()
  const stop = async () => {
    for (const client of clients.splice(0)) client.destroy()
    await running.endpoint.close()
    await running.service.close()
  }
  return {
    dir,
    calls,
    clock,
    get endpoint() {
      return running.endpoint
    },
    get service() {
      return running.service
    },
    client(config = {}, principal = root) {
      const client = new S3Client({
        endpoint: running.endpoint.url,
        region: 'us-east-1',
        forcePathStyle: true,
        maxAttempts: 1,
        credentials: { accessKeyId: principal.accessKeyId, secretAccessKey: principal.secretAccessKey },
        ...config,
      })
      clients.push(client)
      return client
    },
    async restart() {
      await stop()
      running = await open()
    },
    async close() {
      await stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
