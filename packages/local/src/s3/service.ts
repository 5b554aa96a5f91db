import { checkOptions } from '@pipe/core/internal'
import type { Authorizer, Service, ServiceCall } from '../service'
import type { ObjectFiles } from './object-files'
import { operationOf } from './operation'
import { asAwsError, sendError } from './respond'
import { parseRequest, type S3Context } from './s3-request'
import { openStore } from './store'
import { createObjectFiles } from './stored-files'

/** What the local S3 needs. */
export interface S3ServiceOptions {
  /** Directory of the data; made when absent. Opened again, it holds everything that was acknowledged. */
  readonly dir: string
  /** Gives LastModified. */
  readonly clock: { now(): number }
  readonly authorizer: Authorizer
}

/** The local S3: a service of the shared endpoint, and the same objects as files for the other services. */
export interface S3Service extends Service {
  readonly files: ObjectFiles
  close(): Promise<void>
}

/**
 * Opens the local S3 on a directory. It matches every request, so it must stand last behind an endpoint.
 *
 * @throws {@link PipeError} `PIPE_LOCAL_DIR_IN_USE`, `PIPE_LOCAL_S3_INDEX`
 */
export async function createS3Service(options: S3ServiceOptions): Promise<S3Service> {
  checkOptions('createS3Service', options, { required: ['dir', 'clock', 'authorizer'] })
  const { dir, clock, authorizer } = options
  const store = openStore(dir, () => clock.now())
  const context: S3Context = { store, authorizer }
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
    async close() {
      store.close()
    },
  }
}
