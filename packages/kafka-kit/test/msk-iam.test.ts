import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createKafka } from '../src/connect'
import { mskIam, mskIamWith, withoutSecrets } from '../src/msk-iam'

const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYxx',
  sessionToken: 'IQoJb3JpZ2luX2VjEXAMPLETOKENEXAMPLETOKENEXAMPLETOKENEXAMPLETOKEN',
}
const secrets = Object.values(credentials)
const region = 'eu-central-1'

function signerWith(make: (call: number, options: Record<string, unknown>) => { token: string; expiryTime: number }) {
  const calls: Record<string, unknown>[] = []
  const sign = async (options: Record<string, unknown>) => {
    calls.push(options)
    return make(calls.length, options)
  }
  const signer = {
    generateAuthToken: sign,
    generateAuthTokenFromProfile: sign,
    generateAuthTokenFromRole: sign,
    generateAuthTokenFromCredentialsProvider: sign,
  }
  return { calls, load: async () => signer }
}

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-28T00:00:00Z'), toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

const minutes = (count: number) => vi.setSystemTime(Date.now() + count * 60_000)

describe('the token', () => {
  test('one for all connections, renewed once four fifths of its time have passed', async () => {
    const { calls, load } = signerWith((call) => ({ token: `t${call}`, expiryTime: Date.now() + 15 * 60_000 }))
    const { token } = mskIamWith({ region }, load)
    expect(await Promise.all([token(), token(), token()])).toEqual([{ value: 't1' }, { value: 't1' }, { value: 't1' }])
    minutes(11.9)
    expect(await token()).toEqual({ value: 't1' })
    minutes(0.2)
    expect(await token()).toEqual({ value: 't2' })
    expect(calls).toEqual([{ region }, { region }])
  })

  test('credentials that end sooner shorten it', async () => {
    const { load } = signerWith((call) => ({ token: `t${call}`, expiryTime: Date.now() + 60_000 }))
    const { token } = mskIamWith({ region }, load)
    await token()
    minutes(0.85)
    expect(await token()).toEqual({ value: 't2' })
  })

  test('a renewal that fails uses the present one until it ends; then the error is told, and the next call tries again', async () => {
    let isDown = false
    const { load } = signerWith((call) => {
      if (isDown) throw Object.assign(new Error('connect ETIMEDOUT 169.254.169.254:80'), { name: 'TimeoutError' })
      return { token: `t${call}`, expiryTime: Date.now() + 15 * 60_000 }
    })
    const { token } = mskIamWith({ region }, load)
    await token()
    isDown = true
    minutes(14)
    expect(await token()).toEqual({ value: 't1' })
    minutes(1.1)
    await expect(token()).rejects.toMatchObject({
      code: 'PIPE_KAFKA_AUTH',
      retryable: true,
      message: /TimeoutError: connect ETIMEDOUT/,
    })
    isDown = false
    expect(await token()).toMatchObject({ value: expect.stringMatching(/^t\d$/) })
  })

  test('one that has ended already points at the clock', async () => {
    const { load } = signerWith(() => ({ token: 't', expiryTime: Date.now() - 1 }))
    await expect(mskIamWith({ region }, load).token()).rejects.toMatchObject({ code: 'PIPE_KAFKA_AUTH', message: /clock/ })
  })

  test('a role is assumed under a session name that never changes', async () => {
    const { calls, load } = signerWith((call) => ({ token: `t${call}`, expiryTime: Date.now() + 15 * 60_000 }))
    const arn = 'arn:aws:iam::123456789012:role/orders'
    const { token } = mskIamWith({ region, role: { arn } }, load)
    await token()
    minutes(13)
    await token()
    const call = { region, awsRoleArn: arn, awsRoleSessionName: 'pipe-kafka-kit' }
    expect(calls).toEqual([call, call])
    const named = signerWith(() => ({ token: 't', expiryTime: Date.now() + 60_000 }))
    await mskIamWith({ region, role: { arn, sessionName: 'orders' } }, named.load).token()
    expect(named.calls[0]).toMatchObject({ awsRoleSessionName: 'orders' })
  })

  test('the real signer signs a connect for the region, bounded by the end of the credentials', async () => {
    const expiration = new Date(Date.now() + 100_000)
    const { token } = mskIam({ region, credentials: async () => ({ ...credentials, expiration }) })
    const url = new URL(Buffer.from((await token()).value, 'base64url').toString())
    expect(url.host).toBe('kafka.eu-central-1.amazonaws.com')
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      Action: 'kafka-cluster:Connect',
      'X-Amz-Expires': '100',
      'X-Amz-Credential': expect.stringContaining('/eu-central-1/kafka-cluster/aws4_request'),
    })
  })
})

describe('what cannot work', () => {
  test('without the signer: the package is named, with the command', async () => {
    const { token } = mskIamWith({ region }, () => Promise.reject(new Error("Cannot find package 'x'")))
    await expect(token()).rejects.toMatchObject({
      code: 'PIPE_KAFKA_AUTH',
      retryable: false,
      hint: 'npm install aws-msk-iam-sasl-signer-js',
    })
  })

  test('without credentials: not retryable, with the places where they may stand', async () => {
    const none = Object.assign(new Error('Could not load credentials from any providers'), { name: 'CredentialsProviderError' })
    const { token } = mskIam({ region, credentials: () => Promise.reject(none) })
    await expect(token()).rejects.toMatchObject({ code: 'PIPE_KAFKA_AUTH', retryable: false, hint: /AWS_PROFILE/ })
    const empty = mskIam({ region, credentials: async () => ({ accessKeyId: '', secretAccessKey: '' }) })
    await expect(empty.token()).rejects.toMatchObject({ code: 'PIPE_KAFKA_AUTH', retryable: false })
  })

  test('options that contradict each other, or are none', () => {
    expect(() => mskIam({ region, profile: 'a', role: { arn: 'b' } } as never)).toThrow('profile and role exclude each other')
    expect(() => mskIam({ region: 'Frankfurt' })).toThrow('"Frankfurt" is no region')
    expect(() => mskIam({} as never)).toThrow('needs the option "region"')
    expect(() => mskIam({ region, sessionName: 'x' } as never)).toThrow('no option "sessionName"')
    expect(() => mskIam({ region, credentials: credentials as never })).toThrow('must be a function')
  })
})

describe('no secret gets out', () => {
  test('an error that carries credentials is shown without them, also when inspected', async () => {
    const cause = Object.assign(
      new Error(
        `403 for https://sts.eu-central-1.amazonaws.com/?X-Amz-Credential=${credentials.accessKeyId}/x&X-Amz-Security-Token=${credentials.sessionToken}&X-Amz-Signature=abc: ${credentials.secretAccessKey}`,
      ),
      { name: 'ExpiredToken', $response: { headers: { authorization: credentials.secretAccessKey } } },
    )
    const { token } = mskIam({ region, credentials: () => Promise.reject(cause) })
    const error = await token().then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    const shown = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error)
    expect(shown).toContain('ExpiredToken')
    for (const secret of secrets) expect(shown).not.toContain(secret)
    expect(shown).not.toContain('Signature=abc')
  })

  test('the value, and a Kafka made with it, hold no credential that could be printed', async () => {
    const auth = mskIam({ region, credentials: async () => credentials })
    const { value } = await auth.token()
    await using kafka = createKafka({ brokers: ['localhost:9098'], clientId: 'test', auth })
    for (const shown of [inspect(auth, { depth: 10 }), JSON.stringify(auth), inspect(kafka, { depth: 10 })]) {
      for (const secret of [...secrets, value]) expect(shown).not.toContain(secret)
    }
  })

  test('plain words stay as they are', () => {
    expect(
      withoutSecrets(new Error('User: arn:aws:iam::123456789012:user/x is not authorized to perform: sts:AssumeRole.')).message,
    ).toBe('User: arn:aws:iam::123456789012:user/x is not authorized to perform: sts:AssumeRole')
    expect(withoutSecrets('text').message).toBe('text')
  })
})
