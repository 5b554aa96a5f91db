import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createAuthorizer } from '../../src/iam/authorizer'
import type { PolicyStatement } from '../../src/iam/policy'
import type { AwsError, Principal } from '../../src/service'

const principal = (name: string): Principal => ({ name, accessKeyId: `key-${name}`, secretAccessKey: 'secret' })
const f = principal('log-generator')
const raw = 'arn:aws:s3:::lake/raw/dt=2026-11-24/a.gz'

const allowed = (statements: readonly PolicyStatement[], action: string, resource: string, context?: Record<string, string>) => {
  const iam = createAuthorizer({ mode: 'enforce' })
  iam.setPolicy(f.name, { Version: '2012-10-17', Statement: statements })
  return iam.isAllowed(f, action, resource, context)
}
const put: PolicyStatement = { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::lake/raw/*' }

describe('decision', () => {
  it('allows what a statement allows and nothing else', () => {
    expect(allowed([put], 's3:PutObject', raw)).toBe(true)
    expect(allowed([put], 'S3:putobject', raw)).toBe(true)
    expect(allowed([put], 's3:GetObject', raw)).toBe(false)
    expect(allowed([put], 's3:PutObject', 'arn:aws:s3:::lake/compacted/a')).toBe(false)
    expect(allowed([{ ...put, Action: 's3:Put*' }], 's3:PutObject', raw)).toBe(true)
  })

  it('lets an explicit deny win, wherever it stands (property)', () => {
    const deny: PolicyStatement = { Effect: 'Deny', Action: '*', Resource: 'arn:aws:s3:::lake/raw/*' }
    const other: PolicyStatement = { Effect: 'Allow', Action: '*', Resource: '*' }
    fc.assert(
      fc.property(fc.shuffledSubarray([put, other], { minLength: 0 }), fc.nat(), (allows, position) => {
        const statements = [...allows]
        statements.splice(position % (allows.length + 1), 0, deny)
        expect(allowed(statements, 's3:PutObject', raw)).toBe(false)
        expect(allowed(statements, 's3:PutObject', 'arn:aws:s3:::lake/x')).toBe(allows.includes(other))
      }),
    )
  })

  it('understands NotAction and NotResource', () => {
    const not: PolicyStatement = { Effect: 'Allow', NotAction: 's3:Delete*', NotResource: 'arn:aws:s3:::lake/raw/*' }
    expect(allowed([not], 's3:GetObject', 'arn:aws:s3:::lake/x')).toBe(true)
    expect(allowed([not], 's3:DeleteObject', 'arn:aws:s3:::lake/x')).toBe(false)
    expect(allowed([not], 's3:GetObject', raw)).toBe(false)
  })
})

describe('conditions', () => {
  const holds = (operator: string, key: string, wanted: string | string[], context: Record<string, string>) =>
    allowed([{ ...put, Condition: { [operator]: { [key]: wanted } } }], 's3:PutObject', raw, context)

  it.each<[string, string | string[], string | undefined, boolean]>([
    ['StringEquals', ['a', 'raw/'], 'raw/', true],
    ['StringEquals', 'raw/', 'raw', false],
    ['StringEquals', 'raw/', undefined, false],
    ['StringEqualsIfExists', 'raw/', undefined, true],
    ['StringEqualsIgnoreCase', 'RAW/', 'raw/', true],
    ['StringNotEquals', ['a', 'b'], 'b', false],
    ['StringNotEquals', ['a', 'b'], 'c', true],
    ['StringNotEquals', 'a', undefined, true],
    ['StringLike', 'raw/*', 'raw/dt=1', true],
    ['StringLike', 'raw/?', 'raw/dt', false],
    ['StringNotLike', 'raw/*', 'raw/dt=1', false],
    ['ForAnyValue:StringEquals', ['a', 'b'], 'b', true],
    ['ForAnyValue:StringEquals', ['a', 'b'], undefined, false],
    ['ForAllValues:StringLike', 'raw/*', 'raw/1', true],
    ['ForAllValues:StringLike', 'raw/*', 'other', false],
    ['ForAllValues:StringLike', 'raw/*', undefined, true],
    ['ArnLike', 'arn:aws:lambda:*:*:function:*', 'arn:aws:lambda:us-east-1:000000000000:function:f', true],
    ['ArnEquals', 'arn:aws:lambda:*', 'arn:aws:lambda:us-east-1:000000000000:function:f', false],
    ['ArnNotEquals', 'arn:aws:s3:::lake', 'arn:aws:s3:::pond', true],
    ['Bool', 'true', 'TRUE', true],
    ['Bool', 'false', 'true', false],
    ['NumericLessThan', '10', '9.5', true],
    ['NumericLessThan', '10', '10', false],
    ['NumericLessThanEquals', '10', '10', true],
    ['NumericEquals', '10', '10.0', true],
    ['NumericGreaterThan', '9', '10', true],
    ['NumericGreaterThan', '9', 'many', false],
    ['NumericNotEquals', '9', '10', true],
    ['DateLessThan', '2026-11-24T00:00:00Z', '2026-11-23T23:59:59Z', true],
    ['DateGreaterThan', '1700000000', '2026-11-23T23:59:59Z', true],
    ['Null', 'true', undefined, true],
    ['Null', 'true', 'x', false],
    ['Null', 'false', 'x', true],
  ])('%s %j of %j is %s', (operator, wanted, given, expected) => {
    expect(holds(operator, 's3:prefix', wanted, given === undefined ? {} : { 'S3:Prefix': given })).toBe(expected)
  })

  it('needs every operator and every key', () => {
    const Condition = { StringLike: { 's3:prefix': 'raw/*', 's3:delimiter': '/' }, NumericLessThan: { 's3:max-keys': 100 } }
    const ask = (context: Record<string, string>) => allowed([{ ...put, Condition }], 's3:PutObject', raw, context)
    expect(ask({ 's3:prefix': 'raw/a', 's3:delimiter': '/', 's3:max-keys': '10' })).toBe(true)
    expect(ask({ 's3:prefix': 'raw/a', 's3:delimiter': '-', 's3:max-keys': '10' })).toBe(false)
    expect(ask({ 's3:prefix': 'raw/a', 's3:delimiter': '/', 's3:max-keys': '100' })).toBe(false)
  })

  it('gives the global keys, time by the clock of the runtime', () => {
    const iam = createAuthorizer({ mode: 'enforce', now: () => Date.parse('2026-11-24T00:00:00Z') })
    const Condition = {
      ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::000000000000:role/log-generator' },
      StringEquals: { 'aws:RequestedRegion': 'us-east-1' },
      DateEquals: { 'aws:CurrentTime': '2026-11-24T00:00:00Z' },
    }
    iam.setPolicy(f.name, { Statement: { ...put, Condition } })
    expect(iam.isAllowed(f, 's3:PutObject', raw)).toBe(true)
  })
})

describe('createAuthorizer', () => {
  it('says who may not do what on which resource, and why, in the words of AWS', () => {
    const iam = createAuthorizer({ mode: 'enforce' })
    const denial = (action: string) => {
      try {
        iam.authorize(f, action, raw)
      } catch (error) {
        return error as AwsError
      }
      throw new Error('allowed')
    }
    const user = 'User: arn:aws:sts::000000000000:assumed-role/log-generator/log-generator is not authorized to perform: '
    expect(denial('s3:PutObject')).toMatchObject({
      code: 'AccessDenied',
      status: 403,
      message: `${user}s3:PutObject on resource: "${raw}" because no identity-based policy allows the s3:PutObject action`,
    })
    iam.setPolicy(f.name, { Statement: [put, { ...put, Effect: 'Deny' }] })
    expect(denial('s3:PutObject').message).toBe(
      `${user}s3:PutObject on resource: "${raw}" with an explicit deny in an identity-based policy`,
    )
    iam.setPolicy(f.name, { Statement: put })
    expect(() => iam.authorize(f, 's3:PutObject', raw)).not.toThrow()
    iam.removePolicy(f.name)
    expect(() => iam.authorize(f, 's3:PutObject', raw)).toThrow('not authorized')
  })

  it('allows root everything', () => {
    const iam = createAuthorizer({ mode: 'enforce' })
    expect(() => iam.authorize(principal('root'), 's3:DeleteBucket', 'arn:aws:s3:::lake')).not.toThrow()
  })

  it('records every call once with its count, in mode off too', () => {
    const iam = createAuthorizer({ mode: 'off' })
    iam.setPolicy(f.name, { Statement: { ...put, Sid: 'WriteRaw' } })
    for (const action of ['s3:PutObject', 's3:PutObject', 's3:GetObject'])
      expect(() => iam.authorize(f, action, raw)).not.toThrow()
    expect(iam.isAllowed(f, 's3:GetObject', raw)).toBe(true)
    expect(iam.calls()).toEqual([
      { principal: f.name, action: 's3:PutObject', resource: raw, allowed: true, statement: 'Statement (WriteRaw)', count: 2 },
      { principal: f.name, action: 's3:GetObject', resource: raw, allowed: false, count: 2 },
    ])
  })

  it('refuses an unknown mode or option, and keeps the old policy when the new one is wrong', () => {
    expect(() => createAuthorizer({ mode: 'strict' as never })).toThrow('"strict"')
    expect(() => createAuthorizer({ mode: 'off', log: true } as never)).toThrow('log')
    const iam = createAuthorizer({ mode: 'enforce' })
    iam.setPolicy(f.name, { Statement: put })
    expect(() => iam.setPolicy(f.name, { Statement: [] })).toThrow('PIPE_IAM_POLICY')
    expect(iam.isAllowed(f, 's3:PutObject', raw)).toBe(true)
  })
})
