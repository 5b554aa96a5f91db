import { PipeError } from '@pipe/core'
import { expect, it } from 'vitest'
import { preparePolicy } from '../../src/iam/policy'

const allow = { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::lake/*' }

it('accepts one statement or a list, one value or a list', () => {
  expect(preparePolicy('f', { Statement: allow })).toHaveLength(1)
  const statement = {
    Sid: 'A',
    Effect: 'Deny',
    NotAction: ['s3:*', 'glue:Get?able'],
    NotResource: ['*'],
    Condition: { Bool: { 'aws:SecureTransport': false } },
  }
  expect(preparePolicy('f', { Version: '2012-10-17', Id: 'x', Statement: [allow, statement] })[1]).toEqual({
    name: 'Statement[1] (A)',
    effect: 'Deny',
    actions: ['s3:*', 'glue:get?able'],
    actionsNegated: true,
    resources: ['*'],
    resourcesNegated: true,
    conditions: [{ operator: 'Bool', key: 'aws:SecureTransport', values: ['false'] }],
  })
})

// Written in two pieces because it looks like a template.
const variable = ['$', '{aws:username}'].join('')
const withStatement = (change: object) => ({ Version: '2012-10-17', Statement: [allow, { ...allow, ...change }] })
const condition = (value: unknown) => withStatement({ Condition: value })

it.each([
  ['top level', null, 'not an object'],
  ['top level', [allow], 'not an object'],
  ['Statement', { Version: '2012-10-17' }, 'missing'],
  ['Statement', { Statement: [] }, 'missing or empty'],
  ['Version', { Version: '2020-01-01', Statement: allow }, '2012-10-17'],
  ['Statements', { Statements: [allow], Statement: allow }, 'not an element of a policy'],
  ['Statement[0]', { Statement: ['x'] }, 'not an object'],
  ['Statement.Effect', { Statement: { ...allow, Effect: 'allow' } }, '"allow"'],
  ['Statement[1].Efect', withStatement({ Efect: 'Allow' }), 'not an element of a statement'],
  ['Statement[1].Principal', withStatement({ Principal: '*' }), 'resource policy'],
  ['Statement[1]', withStatement({ NotAction: 's3:*' }), 'exactly one of Action and NotAction'],
  ['Statement[1]', withStatement({ Action: undefined }), 'exactly one of Action and NotAction'],
  ['Statement[1]', withStatement({ Resource: undefined }), 'exactly one of Resource and NotResource'],
  ['Statement[1].Action', withStatement({ Action: [] }), 'empty list'],
  ['Statement[1].Action[1]', withStatement({ Action: ['s3:GetObject', 'PutObject'] }), '"PutObject"'],
  ['Statement[1].Action', withStatement({ Action: 7 }), '7'],
  ['Statement[1].Resource', withStatement({ Resource: 'lake/raw/*' }), 'lake/raw/*'],
  ['Statement[1].Resource', withStatement({ Resource: `arn:aws:s3:::lake/${variable}/*` }), variable],
  ['Statement[1].Sid', withStatement({ Sid: 1 }), 'not a text'],
  ['Statement[1].Condition', condition([]), 'not an object'],
  ['Statement[1].Condition.StringEquals', condition({ StringEquals: 'x' }), 'not an object'],
  ['Statement[1].Condition.StringMatches', condition({ StringMatches: { 's3:prefix': 'x' } }), 'not supported locally'],
  ['Statement[1].Condition.IpAddress', condition({ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }), 'not supported locally'],
  ['Statement[1].Condition.NullIfExists', condition({ NullIfExists: { 's3:prefix': 'true' } }), 'not supported locally'],
  ['Statement[1].Condition.constructor', condition({ constructor: { 's3:prefix': 'true' } }), 'not supported locally'],
  ['Statement[1].Condition.NumericLessThan', condition({ NumericLessThan: { 's3:max-keys': 'ten' } }), '"ten"'],
  ['Statement[1].Condition.Bool', condition({ Bool: { 'aws:SecureTransport': 'yes' } }), '"yes"'],
  ['Statement[1].Condition.StringLike["s3:prefix"]', condition({ StringLike: { 's3:prefix': [] } }), 'empty list'],
  ['Statement[1].Condition.StringLike["s3:prefix"]', condition({ StringLike: { 's3:prefix': ['a', variable] } }), variable],
  ['Statement[1].Condition.StringLike["s3:prefix"]', condition({ StringLike: { 's3:prefix': null } }), 'null'],
  ['Statement[1].Condition.StringLike', condition({ StringLike: { prefix: 'a' } }), 'condition key "prefix"'],
  ['Statement[1].Condition.StringNotEquals', condition({ StringNotEquals: { 's3:x-amz-acl': 'a' } }), 's3:x-amz-acl'],
])('refuses %s', (path, policy, text) => {
  try {
    preparePolicy('log-generator', policy)
  } catch (error) {
    if (!PipeError.isInstance(error)) throw error
    expect([error.code, error.details]).toEqual(['PIPE_IAM_POLICY', { owner: 'log-generator', path }])
    expect(error.message).toContain('log-generator')
    expect(error.message).toContain(text)
    return
  }
  throw new Error('the policy was accepted')
})
