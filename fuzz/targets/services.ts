import { PipeError } from '@pipe/core'
import { parseJsonPath } from '../../packages/local/src/eventbridge/json-path'
import { preparePolicy } from '../../packages/local/src/iam/policy'
import { createAwsChunkedDecoder } from '../../packages/local/src/s3/aws-chunked'
import { parseRange } from '../../packages/local/src/s3/byte-range'
import { lifecycleShape } from '../../packages/local/src/s3/lifecycle/document'
import { objectLockShape } from '../../packages/local/src/s3/lock'
import { notificationShape } from '../../packages/local/src/s3/notification-document'
import { replicationShape } from '../../packages/local/src/s3/replication/document'
import { readXml } from '../../packages/local/src/s3/xml'
import { type ObjectShape, readShape } from '../../packages/local/src/s3/xml-shape'
import { AwsError } from '../../packages/local/src/service'
import { parseAuthorization } from '../../packages/local/src/signature'
import { type FuzzTarget, isA, mustHold, refusedBy } from '../target'

const orAwsError = refusedBy(isA(AwsError))
const orPipeError = refusedBy((error) => PipeError.isInstance(error))

/** Root elements of the documents that S3 is sent. */
const documents: Readonly<Record<string, ObjectShape>> = {
  LifecycleConfiguration: lifecycleShape,
  ReplicationConfiguration: replicationShape,
  NotificationConfiguration: notificationShape,
  ObjectLockConfiguration: objectLockShape,
}
const xml = [
  '<LifecycleConfiguration><Rule><ID>a</ID><Filter><And><Prefix>raw/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter><Status>Enabled</Status><Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition><Expiration><Days>365</Days></Expiration></Rule></LifecycleConfiguration>',
  '<ReplicationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Role>arn:aws:iam::000000000000:role/r</Role><Rule><ID>r</ID><Priority>1</Priority><Filter><Prefix/></Filter><Status>Enabled</Status><DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication><Destination><Bucket>arn:aws:s3:::b</Bucket></Destination></Rule></ReplicationConfiguration>',
  '<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:us-east-1:000000000000:q</Queue><Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>prefix</Name><Value>&#xe4;&amp;</Value></FilterRule></S3Key></Filter></QueueConfiguration></NotificationConfiguration>',
  '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>',
].map((text) => Buffer.from(text))

const policy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Sid: 'a', Effect: 'Allow', Action: ['s3:GetObject', 's3:Put*'], Resource: 'arn:aws:s3:::lake/*' },
    { Effect: 'Deny', NotAction: 'athena:*', Resource: '*', Condition: { StringLike: { 's3:prefix': ['raw/*'] } } },
  ],
})

export const serviceTargets: readonly FuzzTarget[] = [
  {
    name: 's3-xml',
    perMillion: 40_000,
    corpus: () => xml,
    words: [
      '<',
      '>',
      '</',
      '/>',
      '<![CDATA[',
      ']]>',
      '<!--',
      '-->',
      '<!DOCTYPE a [<!ENTITY b "c">]>',
      '&b;',
      '&#x0;',
      '&lt;',
      '<?xml',
      '<__proto__>',
      '<Rule>',
    ],
    read: async (input) => {
      const [root, shape] = Object.entries(documents).find(([name]) => input.includes(name)) ?? [
        'LifecycleConfiguration',
        lifecycleShape,
      ]
      try {
        readShape(await readXml(input, root), shape)
        return 'taken'
      } catch (error) {
        if (error instanceof AwsError) return 'refused'
        throw error
      }
    },
  },
  {
    name: 'aws-chunked',
    perMillion: 80_000,
    corpus: () => [
      Buffer.from('5;chunk-signature=abc\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n'),
    ],
    words: ['\r\n', '0\r\n', 'fffffffffff\r\n', ';', ':'],
    read: (input) =>
      orAwsError(() => {
        const decoder = createAwsChunkedDecoder()
        const bytes = decoder.push(input).reduce((sum, part) => sum + part.length, 0)
        decoder.end()
        mustHold(bytes <= input.length, 'more payload than bytes')
      }),
  },
  {
    name: 'authorization',
    perMillion: 60_000,
    corpus: () => [
      Buffer.from(
        'AWS4-HMAC-SHA256 Credential=AKIALOCALROOT0000000/20261124/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00ff',
      ),
    ],
    words: ['Credential=', 'SignedHeaders=', 'Signature=', '/', ',', ';', 'aws4_request'],
    read: (input) => orAwsError(() => parseAuthorization(input.toString('latin1'))),
  },
  {
    name: 'byte-range',
    perMillion: 40_000,
    corpus: () => ['bytes=0-9', 'bytes=5-', 'bytes=-5'].map((text) => Buffer.from(text)),
    words: ['bytes=', '-', ',', '99999999999999999999'],
    read: (input) =>
      orAwsError(() => {
        const range = parseRange(input.toString('latin1'), 100)
        if (range) mustHold(range.start >= 0 && range.start <= range.end && range.end < 100, `${JSON.stringify(range)} of 100`)
      }),
  },
  {
    name: 'iam-policy',
    perMillion: 40_000,
    corpus: () => [Buffer.from(policy)],
    words: [
      '"Effect"',
      '"Allow"',
      '"Deny"',
      '"Action"',
      '"*"',
      '[',
      ']',
      '{',
      '}',
      'null',
      '"Condition"',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of IAM policies
      '${aws:username}',
      '__proto__',
    ],
    read: (input) => {
      let document: unknown
      try {
        document = JSON.parse(input.toString('utf8'))
      } catch {
        // No JSON: not this parser's business.
        return 'refused'
      }
      return orPipeError(() => preparePolicy('fuzz', document))
    },
  },
  {
    name: 'json-path',
    perMillion: 40_000,
    corpus: () => ['$', '$.detail.id', "$.detail['x-y']", '$.resources[0]'].map((text) => Buffer.from(text)),
    words: ['$', '.', '[', ']', "'", '"', '[99999999]', '..', '*'],
    read: (input) => (parseJsonPath(input.toString('utf8')) === undefined ? 'refused' : 'taken'),
  },
]
