import { randomUUID } from 'node:crypto'
import { AwsError } from '../../service'
import { sendEmpty } from '../respond'
import { bucketArn, checkOwner, header, type S3Context, type S3Request } from '../s3-request'
import { receiveShape, sendShape } from '../shaped-body'
import { malformedXml } from '../xml'
import { type LifecycleDocument, lifecycleShape, type MinimumSize, type RuleDocument } from './document'
import { checkLifecycle } from './rejections'

const sizeHeader = 'x-amz-transition-default-minimum-object-size'

function open(context: S3Context, request: S3Request, action: string) {
  context.authorizer.authorize(request.call.principal, action, bucketArn(request.bucket))
  checkOwner(context, request)
  return context.store.bucket(request.bucket)
}

/** PutBucketLifecycleConfiguration: replaces all rules. */
export async function putLifecycle(context: S3Context, request: S3Request): Promise<void> {
  open(context, request, 's3:PutLifecycleConfiguration')
  const minimumSize = requestedMinimumSize(request)
  const { Rule: rules = [] } = await receiveShape<{ Rule?: readonly RuleDocument[] }>(
    request,
    'LifecycleConfiguration',
    lifecycleShape,
  )
  if (rules.length === 0) throw malformedXml()
  checkLifecycle({ Rule: rules })
  const Rule = rules.map((rule) => (rule.ID ? rule : { ...rule, ID: randomUUID() }))
  const document: LifecycleDocument = { Rule, minimumSize }
  context.store.bucket(request.bucket).configure('lifecycle', document)
  context.onLifecycle()
  sendEmpty(request.call, 200, { [sizeHeader]: minimumSize })
}

// Without the header a bucket goes back to the default, whatever it had before.
function requestedMinimumSize(request: S3Request): MinimumSize {
  const text = header(request, sizeHeader) ?? 'all_storage_classes_128K'
  if (text === 'all_storage_classes_128K' || text === 'varies_by_storage_class') return text
  throw new AwsError('InvalidRequest', `Invalid TransitionDefaultMinimumObjectSize found: ${text}`)
}

/** GetBucketLifecycleConfiguration. */
export async function getLifecycle(context: S3Context, request: S3Request): Promise<void> {
  const { lifecycle } = open(context, request, 's3:GetLifecycleConfiguration').configuration
  if (lifecycle === undefined) {
    throw new AwsError('NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist', 404, {
      BucketName: request.bucket,
    })
  }
  sendShape(request, 'LifecycleConfiguration', lifecycleShape, lifecycle, { [sizeHeader]: lifecycle.minimumSize })
}

/** DeleteBucketLifecycle. */
export async function deleteLifecycle(context: S3Context, request: S3Request): Promise<void> {
  open(context, request, 's3:PutLifecycleConfiguration').configure('lifecycle', undefined)
  sendEmpty(request.call, 204)
}
