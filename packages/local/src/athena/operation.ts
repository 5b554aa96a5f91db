import type { Catalog } from '../catalog/catalog'
import type { ObjectFiles } from '../s3/object-files'
import type { Authorizer, Principal } from '../service'
import type { Executions } from './executions'
import type { PreparedStatements } from './prepared-statements'
import type { RequestBody } from './request'
import type { Workgroups } from './workgroups'

/** One API operation: body in, body out. */
export type Operation = (body: RequestBody, principal: Principal) => unknown

/** What the operations work on. */
export interface OperationContext {
  readonly executions: Executions
  readonly workgroups: Workgroups
  readonly prepared: PreparedStatements
  readonly catalog: Catalog
  readonly files: ObjectFiles
  readonly authorizer: Authorizer
  now(): number
}
