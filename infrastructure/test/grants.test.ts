import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compareGrants } from '../grants/compare'
import { readPolicy } from '../lint/policy'

const text = readFileSync(join(import.meta.dirname, '../../examples/fan-out/policies/invoice.json'), 'utf8')
const call = (action: string, resource: string, allowed = true) => ({ principal: 'invoice', action, resource, allowed })
const queue = 'arn:aws:sqs:us-east-1:000000000000:invoice'
const calls = [
  ...['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'].map((action) => call(action, queue)),
  call('s3:PutObject', 'arn:aws:s3:::shop/invoice/1/a.json'),
  call('s3:PutObject', 'arn:aws:s3:::shop/quarantine/invoice/7.json'),
  ...['s3:GetObject', 's3:PutObject', 's3:DeleteObject'].map((action) => call(action, 'arn:aws:s3:::shop/keys/invoice/1')),
]

describe('a policy against its calls', () => {
  it('is the same both ways', () => {
    expect(compareGrants(readPolicy(text), calls)).toEqual({ used: 8, granted: 6, missing: [], unused: [] })
  })

  it('lacks a grant that is deleted', () => {
    const { missing, unused } = compareGrants(readPolicy(text.replace('"sqs:DeleteMessage", ', '')), calls)
    expect({ missing, unused }).toEqual({ missing: [`sqs:DeleteMessage on ${queue}`], unused: [] })
  })

  it('lacks what a call was refused for', () => {
    const { missing } = compareGrants(readPolicy(text), [...calls, call('s3:ListBucket', 'arn:aws:s3:::shop', false)])
    expect(missing).toEqual(['s3:ListBucket on arn:aws:s3:::shop'])
  })

  it.each([
    ['s3:*', '"s3:GetObject"', '"s3:*", "s3:GetObject"', ['s3:* (WorkOnce)']],
    ['an action', '"s3:GetObject"', '"s3:ListBucket", "s3:GetObject"', ['s3:ListBucket (WorkOnce)']],
    [
      'a resource',
      '"arn:aws:s3:::shop/invoice/*"',
      '"arn:aws:s3:::shop/other/*", "arn:aws:s3:::shop/invoice/*"',
      ['arn:aws:s3:::shop/other/* (KeepResults)'],
    ],
  ])('has %s that nothing needs', (_, before, after, unused) => {
    expect(text).toContain(before)
    expect(compareGrants(readPolicy(text.replace(before, after)), calls)).toMatchObject({ missing: [], unused })
  })
})
