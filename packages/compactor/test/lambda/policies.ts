/** The smallest policies of the README, for a bucket, a database and the table `device_logs`. */
export function minimalPolicy(engine: 'athena' | 'in-process', bucket: string, database: string) {
  const glue = (...resources: readonly string[]) =>
    ['catalog', `database/${database}`, ...resources].map((resource) => `arn:aws:glue:us-east-1:000000000000:${resource}`)
  const objects = (...folders: readonly string[]) => folders.map((folder) => `arn:aws:s3:::${bucket}/${folder}/*`)
  const allow = (Action: readonly string[], Resource: readonly string[]) => ({
    Effect: 'Allow' as const,
    Action: [...Action],
    Resource: [...Resource],
  })
  const shared = [
    allow(['s3:ListBucket', 's3:GetBucketLocation'], [`arn:aws:s3:::${bucket}`]),
    allow(['s3:GetObject'], objects('raw', 'compacted')),
    allow(['s3:PutObject'], objects('compacted', 'results')),
    allow(
      ['athena:StartQueryExecution', 'athena:BatchGetQueryExecution'],
      ['arn:aws:athena:us-east-1:000000000000:workgroup/primary'],
    ),
    allow(['glue:GetDatabase', 'glue:GetTable', 'glue:BatchCreatePartition'], glue(`table/${database}/device_logs_compacted`)),
  ]
  const athena = [
    allow(['s3:GetObject'], objects('results')),
    allow(['athena:GetQueryResults'], ['arn:aws:athena:us-east-1:000000000000:workgroup/primary']),
    allow(['glue:GetTable', 'glue:GetPartitions', 'glue:BatchCreatePartition'], glue(`table/${database}/device_logs_lines`)),
    allow(['glue:GetTable', 'glue:CreateTable', 'glue:DeleteTable'], glue(`table/${database}/stg_device_logs_*`)),
  ]
  return { Version: '2012-10-17' as const, Statement: engine === 'athena' ? [...shared, ...athena] : shared }
}
