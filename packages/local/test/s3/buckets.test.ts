import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  GetBucketWebsiteCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutObjectCommand,
  type S3Client,
  type S3ServiceException,
} from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { reader, type S3Server, startS3 } from './s3-server'

let server: S3Server
let s3: S3Client

beforeEach(async () => {
  server = await startS3({ allowed: (_, action) => !['s3:ListBucket', 's3:PutObject'].includes(action) })
  s3 = server.client()
})
afterEach(() => server.close())

const failure = (work: Promise<unknown>): Promise<S3ServiceException> =>
  work.then(
    (value) => {
      throw new Error(`expected a failure, got ${JSON.stringify(value)}`)
    },
    (error: S3ServiceException) => error,
  )

describe('buckets', () => {
  it('are created, listed, found and deleted', async () => {
    const created = await s3.send(new CreateBucketCommand({ Bucket: 'one' }))
    expect(created.Location).toBe('/one')
    await s3.send(new CreateBucketCommand({ Bucket: 'two', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }))
    const listed = await s3.send(new ListBucketsCommand({}))
    expect(listed.Buckets).toMatchObject([
      { Name: 'one', CreationDate: new Date('2026-11-24T12:00:00Z') },
      { Name: 'two', BucketRegion: 'eu-west-1' },
    ])
    expect(listed.Owner!.ID).toMatch(/^0{64}$/)
    expect((await s3.send(new HeadBucketCommand({ Bucket: 'two' }))).BucketRegion).toBe('eu-west-1')
    expect((await s3.send(new GetBucketLocationCommand({ Bucket: 'one' }))).LocationConstraint).toBeUndefined()
    expect((await s3.send(new GetBucketLocationCommand({ Bucket: 'two' }))).LocationConstraint).toBe('eu-west-1')
    await s3.send(new DeleteBucketCommand({ Bucket: 'one' }))
    expect(await failure(s3.send(new HeadBucketCommand({ Bucket: 'one' })))).toMatchObject({ name: 'NotFound' })
    expect(await failure(s3.send(new DeleteBucketCommand({ Bucket: 'one' })))).toMatchObject({ name: 'NoSuchBucket' })
  })

  it('pages through buckets', async () => {
    for (const Bucket of ['aaa', 'bbb', 'ccc']) await s3.send(new CreateBucketCommand({ Bucket }))
    const first = await s3.send(new ListBucketsCommand({ MaxBuckets: 2 }))
    expect(first.Buckets!.map(({ Name }) => Name)).toEqual(['aaa', 'bbb'])
    const second = await s3.send(new ListBucketsCommand({ MaxBuckets: 2, ContinuationToken: first.ContinuationToken }))
    expect(second.Buckets!.map(({ Name }) => Name)).toEqual(['ccc'])
    expect(second.ContinuationToken).toBeUndefined()
    expect((await s3.send(new ListBucketsCommand({ Prefix: 'b' }))).Buckets!.map(({ Name }) => Name)).toEqual(['bbb'])
  })

  it('creating a bucket again keeps it, as in us-east-1', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'mine' }))
    await s3.send(new PutObjectCommand({ Bucket: 'mine', Key: 'k', Body: 'kept' }))
    await s3.send(new CreateBucketCommand({ Bucket: 'mine' }))
    expect(await (await s3.send(new GetObjectCommand({ Bucket: 'mine', Key: 'k' }))).Body!.transformToString()).toBe('kept')
    expect(await failure(s3.send(new DeleteBucketCommand({ Bucket: 'mine' })))).toMatchObject({ name: 'BucketNotEmpty' })
    await s3.send(new DeleteObjectCommand({ Bucket: 'mine', Key: 'k' }))
    await s3.send(new DeleteBucketCommand({ Bucket: 'mine' }))
    await s3.send(new CreateBucketCommand({ Bucket: 'mine' }))
    expect(await failure(s3.send(new GetObjectCommand({ Bucket: 'mine', Key: 'k' })))).toMatchObject({ name: 'NoSuchKey' })
  })

  it.each(['ab', 'Upper', 'under_score', 'a..b', '-lead', 'trail-', '192.168.0.1', 'x'.repeat(64), 'xn--a'])(
    'refuses the name %s',
    async (Bucket) => {
      const name = (await failure(s3.send(new CreateBucketCommand({ Bucket })))).name
      expect(name).toBe('InvalidBucketName')
    },
  )

  it('refuses the location us-east-1 and nonsense', async () => {
    for (const LocationConstraint of ['us-east-1', 'moon!'] as never[]) {
      const error = await failure(
        s3.send(new CreateBucketCommand({ Bucket: 'located', CreateBucketConfiguration: { LocationConstraint } })),
      )
      expect(error.name).toBe('InvalidLocationConstraint')
    }
  })
})

describe('what is not built', () => {
  it('is refused by name and never accepted silently', async () => {
    const Bucket = 'plain'
    await s3.send(new CreateBucketCommand({ Bucket }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
    const attempts: [string, () => Promise<unknown>][] = [
      ['attributes', () => s3.send(new GetObjectAttributesCommand({ Bucket, Key: 'k', ObjectAttributes: ['ETag'] }))],
      ['acl', () => s3.send(new GetBucketAclCommand({ Bucket }))],
      ['website', () => s3.send(new GetBucketWebsiteCommand({ Bucket }))],
      ['dsse', () => s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'y', ServerSideEncryption: 'aws:kms:dsse' }))],
      [
        'x-amz-website-redirect-location',
        () => s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'y', WebsiteRedirectLocation: '/x' })),
      ],
    ]
    for (const [subject, attempt] of attempts) {
      const error = await failure(attempt())
      expect(error, subject).toMatchObject({ name: 'NotImplemented', $metadata: { httpStatusCode: 501 } })
      expect(error.message).toContain(subject)
    }
    expect(await (await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }))).Body!.transformToString()).toBe('x')
  })

  it('refuses storage classes and ACLs that S3 would refuse, and takes its defaults', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'plain' }))
    const put = (more: object) => s3.send(new PutObjectCommand({ Bucket: 'plain', Key: 'k', Body: 'y', ...more }))
    expect(await failure(put({ StorageClass: 'COLD' }))).toMatchObject({ name: 'InvalidStorageClass' })
    expect(await failure(put({ ACL: 'public-read' }))).toMatchObject({ name: 'AccessControlListNotSupported' })
    expect(await failure(put({ Metadata: { big: 'x'.repeat(2100) } }))).toMatchObject({ name: 'MetadataTooLarge' })
    await put({ ACL: 'bucket-owner-full-control', ServerSideEncryption: 'AES256' })
  })
})

describe('authorisation', () => {
  it('asks for the action and resource of each call', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'raw/ü', Body: 'x' }))
    expect(server.calls).toMatchObject([
      { principal: 'root', action: 's3:CreateBucket', resource: 'arn:aws:s3:::lake' },
      { principal: 'root', action: 's3:PutObject', resource: 'arn:aws:s3:::lake/raw/ü' },
    ])
  })

  it('denies what the policy does not grant, and hides missing keys from whoever may not list', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'there', Body: 'x' }))
    const other = server.client({}, reader)
    const denied = await failure(other.send(new PutObjectCommand({ Bucket: 'lake', Key: 'k', Body: 'x' })))
    expect(denied).toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } })
    expect(denied.message).toContain('reader may not s3:PutObject on arn:aws:s3:::lake/k')
    await other.send(new GetObjectCommand({ Bucket: 'lake', Key: 'there' }))
    expect(await failure(other.send(new GetObjectCommand({ Bucket: 'lake', Key: 'missing' })))).toMatchObject({
      name: 'AccessDenied',
    })
    expect(await failure(s3.send(new GetObjectCommand({ Bucket: 'lake', Key: 'missing' })))).toMatchObject({ name: 'NoSuchKey' })
  })

  it('checks the expected owner', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'k', Body: 'x', ExpectedBucketOwner: '000000000000' }))
    for (const command of [
      new PutObjectCommand({ Bucket: 'lake', Key: 'k', Body: 'x', ExpectedBucketOwner: '111122223333' }),
      new GetObjectCommand({ Bucket: 'lake', Key: 'k', ExpectedBucketOwner: '111122223333' }),
      new HeadBucketCommand({ Bucket: 'lake', ExpectedBucketOwner: '111122223333' }),
    ]) {
      expect((await failure(s3.send(command as PutObjectCommand))).$metadata.httpStatusCode).toBe(403)
    }
  })
})
