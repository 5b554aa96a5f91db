import { type Authorizer, AwsError, localAccount, localRegion, type Principal } from '../service'
import { AthenaFailure } from './query-engine'
import type { S3Location } from './s3-location'

/**
 * What a statement needs besides `athena:StartQueryExecution` on the workgroup. Glue actions are asked on the catalog, the database and,
 * where one is named, the table; all are asked of the caller of StartQueryExecution, as on AWS.
 *
 * | statement | glue | s3 |
 * |---|---|---|
 * | every one | | `GetBucketLocation` on the result bucket, `PutObject` on its result objects |
 * | SELECT, a table of it | `GetDatabase`, `GetTable`; `GetPartitions` when partitioned | `ListBucket` (`s3:prefix` = the location), `GetObject` on every object read |
 * | CTAS, its target | `GetDatabase`, `GetTable`, `CreateTable` | `ListBucket`, `GetBucketLocation` on the target bucket, `PutObject` on every file; and all that its SELECT needs |
 * | CREATE DATABASE | `GetDatabase`, `CreateDatabase` | |
 * | DROP DATABASE | `GetDatabase`, `DeleteDatabase`; CASCADE also `GetTables`, and `DeleteTable` on each table | |
 * | CREATE EXTERNAL TABLE | `GetDatabase`, `GetTable`, `CreateTable` | |
 * | DROP TABLE | `GetTable`, `DeleteTable` | |
 * | ALTER TABLE ADD PARTITION | `GetTable`, `BatchCreatePartition` | |
 * | ALTER TABLE DROP PARTITION | `GetTable`, `GetPartitions`, `BatchDeletePartition` | |
 * | ALTER TABLE … PARTITION … SET LOCATION, RENAME | `GetTable`, `GetPartition`, `UpdatePartition` | |
 * | ALTER TABLE ADD / REPLACE COLUMNS, SET TBLPROPERTIES, SET LOCATION | `GetTable`, `UpdateTable` | |
 * | MSCK REPAIR TABLE | `GetTable`, `GetPartitions`, `BatchCreatePartition` | `ListBucket` on the location |
 * | UNLOAD | | as CTAS; and all that its SELECT needs |
 * | INSERT INTO | `GetDatabase`, `GetTable`; partitioned: `GetPartitions`, `BatchCreatePartition` | `PutObject` on every file; and all that its SELECT needs |
 * | CREATE VIEW | `GetDatabase`, `GetTable`, `CreateTable` (OR REPLACE: `UpdateTable`); `GetTable` on all that its query names | |
 * | PREPARE, EXECUTE, DEALLOCATE | `athena:CreatePreparedStatement`, `GetPreparedStatement`, `DeletePreparedStatement` on the workgroup | |
 * | DROP VIEW | `GetTable`, `DeleteTable` | |
 * | SHOW DATABASES | `GetDatabases` (catalog only) | |
 * | SHOW TABLES, SHOW VIEWS | `GetDatabase`, `GetTables` | |
 * | SHOW CREATE, COLUMNS, TBLPROPERTIES; DESCRIBE | `GetDatabase`, `GetTable` | |
 * | SHOW PARTITIONS | `GetTable`, `GetPartitions` | |
 *
 * GetQueryResults needs `athena:GetQueryResults` and `s3:GetObject` on the result object.
 */
export interface Permissions {
  /** @throws {@link AthenaFailure} naming principal, action and resource. */
  glue(action: GlueAction, database?: string, table?: string): void
  athena(action: string, workgroup: string): void
  listBucket(location: S3Location): void
  bucketLocation(bucket: string): void
  getObject(bucket: string, key: string): void
  putObject(bucket: string, key: string): void
}

export type GlueAction =
  | 'GetDatabase'
  | 'GetDatabases'
  | 'CreateDatabase'
  | 'DeleteDatabase'
  | 'GetTable'
  | 'GetTables'
  | 'CreateTable'
  | 'DeleteTable'
  | 'GetPartitions'
  | 'UpdateTable'
  | 'GetPartition'
  | 'UpdatePartition'
  | 'BatchCreatePartition'
  | 'BatchDeletePartition'

/** ARN of a workgroup of the local account. */
export function workgroupArn(name: string): string {
  return `arn:aws:athena:${localRegion}:${localAccount}:workgroup/${name}`
}

/** The rights of one caller, asked while its statement runs. */
export function createPermissions(authorizer: Authorizer, principal: Principal): Permissions {
  const ask = (action: string, resource: string, prefix: string, context?: Readonly<Record<string, string>>) => {
    try {
      authorizer.authorize(principal, action, resource, context)
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      throw new AthenaFailure(`${prefix}${error.message}`, { category: 2, type: 1500, cause: error })
    }
  }
  const insufficient = 'Insufficient permissions to execute the query. '
  const glueArn = (resource: string) => `arn:aws:glue:${localRegion}:${localAccount}:${resource}`
  return {
    glue(action, database, table) {
      ask(`glue:${action}`, glueArn('catalog'), insufficient)
      if (database === undefined) return
      ask(`glue:${action}`, glueArn(`database/${database}`), insufficient)
      if (table !== undefined) ask(`glue:${action}`, glueArn(`table/${database}/${table}`), insufficient)
    },
    athena: (action, workgroup) => ask(`athena:${action}`, workgroupArn(workgroup), insufficient),
    listBucket: ({ bucket, prefix }) =>
      ask('s3:ListBucket', `arn:aws:s3:::${bucket}`, 'Permission denied on S3 path: ', { 's3:prefix': prefix }),
    bucketLocation: (bucket) => ask('s3:GetBucketLocation', `arn:aws:s3:::${bucket}`, insufficient),
    getObject: (bucket, key) =>
      ask('s3:GetObject', `arn:aws:s3:::${bucket}/${key}`, `Permission denied on S3 path: s3://${bucket}/${key}. `),
    putObject: (bucket, key) =>
      ask('s3:PutObject', `arn:aws:s3:::${bucket}/${key}`, `Access denied when writing output to url: s3://${bucket}/${key}. `),
  }
}
