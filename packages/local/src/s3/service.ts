import { checkOptions } from '@pipe/core/internal'
import type { Authorizer, Service, ServiceCall } from '../service'
import { createBucketAuthorizer } from './bucket-authorizer'
import type { Change } from './change'
import { createMidnights } from './lifecycle/midnights'
import { createNotifier, type NotificationSinks } from './notifier'
import type { ObjectFiles } from './object-files'
import { operationOf } from './operation'
import { startReplicator } from './replication/replicator'
import { asAwsError, sendError } from './respond'
import { parseRequest, type S3Context } from './s3-request'
import { openStore } from './store'
import { createObjectFiles } from './stored-files'

/** What the local S3 needs. */
export interface S3ServiceOptions {
  /** Directory of the data; made when absent. Opened again, it holds everything that was acknowledged. */
  readonly dir: string
  /** Gives LastModified. With `schedule`, lifecycle and replication act on it; without, they are only kept. */
  readonly clock: { now(): number; schedule?(at: number, task: () => void): () => void }
  readonly authorizer: Authorizer
  /** Takes what S3 tells of changes. Default: notification configurations are only kept. */
  readonly notifications?: NotificationSinks
}

/** The local S3: a service of the shared endpoint, and the same objects as files for the other services. */
export interface S3Service extends Service {
  readonly files: ObjectFiles
  /** Told of every change of an object. @returns what ends it. */
  onChange(listener: (change: Change) => void): () => void
  close(): Promise<void>
}

/**
 * Opens the local S3 on a directory. It matches every request, so it must stand last behind an endpoint.
 *
 * @throws {@link PipeError} `PIPE_LOCAL_DIR_IN_USE`, `PIPE_LOCAL_S3_INDEX`
 */
export async function createS3Service(options: S3ServiceOptions): Promise<S3Service> {
  checkOptions('createS3Service', options, { required: ['dir', 'clock', 'authorizer'], optional: ['notifications'] })
  const { dir, clock, authorizer, notifications } = options
  const store = openStore(dir, () => clock.now())
  const bucketAuthorizer = createBucketAuthorizer(store, authorizer)
  const acting = clock.schedule && { now: () => clock.now(), schedule: clock.schedule.bind(clock) }
  const midnights = acting && createMidnights(store, acting)
  const stopReplicator = acting && startReplicator(store, acting, bucketAuthorizer)
  const notifier = notifications && createNotifier(() => clock.now(), notifications)
  const stopNotifier = notifier && store.onChange(notifier.notify)
  const context: S3Context = {
    store,
    authorizer: bucketAuthorizer,
    onLifecycle: () => midnights?.start(),
    ...(notifier && { notifications: { problemOf: notifications.problemOf, test: notifier.test } }),
  }
  return {
    name: 's3',
    files: createObjectFiles(store),
    matches: () => true,
    async handle(call: ServiceCall) {
      try {
        const request = parseRequest(call)
        await operationOf(request).run(context, request)
      } catch (error) {
        const resource = (call.request.url ?? '/').split('?')[0]!
        await sendError(call, asAwsError(error), resource)
      }
    },
    onChange: store.onChange,
    async close() {
      midnights?.close()
      stopReplicator?.()
      stopNotifier?.()
      store.close()
    },
  }
}
