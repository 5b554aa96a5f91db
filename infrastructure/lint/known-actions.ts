/**
 * The actions that policies here may name, by service, as in AWS's Service Authorization Reference
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/); an action that is needed and missing is added after a look into it.
 */
const actions: Readonly<Record<string, readonly string[]>> = {
  athena: [
    'BatchGetQueryExecution',
    'GetQueryExecution',
    'GetQueryResults',
    'GetWorkGroup',
    'StartQueryExecution',
    'StopQueryExecution',
  ],
  ec2: [
    'CreateNetworkInterface',
    'DeleteNetworkInterface',
    'DescribeNetworkInterfaces',
    'DescribeSecurityGroups',
    'DescribeSubnets',
    'DescribeVpcs',
  ],
  events: [
    'DescribeEventBus',
    'DescribeRule',
    'ListRules',
    'ListTargetsByRule',
    'PutEvents',
    'PutRule',
    'PutTargets',
    'RemoveTargets',
  ],
  glue: [
    'BatchCreatePartition',
    'BatchDeletePartition',
    'BatchGetPartition',
    'CreateTable',
    'DeleteTable',
    'GetDatabase',
    'GetPartition',
    'GetPartitions',
    'GetTable',
    'GetTables',
    'UpdateTable',
  ],
  kafka: ['DescribeCluster', 'DescribeClusterV2', 'GetBootstrapBrokers'],
  'kafka-cluster': ['AlterGroup', 'Connect', 'DescribeGroup', 'DescribeTopic', 'ReadData', 'WriteData', 'WriteDataIdempotently'],
  kms: ['Decrypt', 'Encrypt', 'GenerateDataKey'],
  lambda: ['InvokeFunction'],
  logs: ['CreateLogStream', 'PutLogEvents'],
  s3: [
    'AbortMultipartUpload',
    'DeleteObject',
    'GetBucketLocation',
    'GetObject',
    'GetObjectVersionAcl',
    'GetObjectVersionForReplication',
    'GetObjectVersionTagging',
    'GetReplicationConfiguration',
    'ListBucket',
    'ListBucketMultipartUploads',
    'ListMultipartUploadParts',
    'PutObject',
    'ReplicateDelete',
    'ReplicateObject',
    'ReplicateTags',
  ],
  ses: ['SendEmail', 'SendRawEmail'],
  sqs: ['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'ReceiveMessage', 'SendMessage'],
  sts: ['AssumeRole'],
}

/** Whether an action such as `s3:PutObject` exists, as far as we know. Case does not matter to IAM, to readers it does. */
export function isKnownAction(action: string): boolean {
  const [service = '', name = ''] = action.split(':')
  return actions[service]?.includes(name) ?? false
}
