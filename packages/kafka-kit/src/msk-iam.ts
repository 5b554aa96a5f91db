import { ConfigError, PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { KafkaError } from './errors'

/** AWS credentials as the providers of the AWS SDK return them. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  readonly expiration?: Date | undefined
}

/** What {@link mskIam} takes: a region, and at most one place to take the credentials from. */
export type MskIamOptions = {
  /** Region of the cluster: `eu-central-1`. */
  readonly region: string
} & (
  | { readonly credentials?: undefined; readonly profile?: undefined; readonly role?: undefined }
  /** A provider of the AWS SDK: `fromTokenFile()`, `fromTemporaryCredentials({ … })` … */
  | { readonly credentials: () => Promise<AwsCredentials>; readonly profile?: undefined; readonly role?: undefined }
  /** A profile of `~/.aws`. */
  | { readonly profile: string; readonly credentials?: undefined; readonly role?: undefined }
  /** A role to assume with the standard credentials. Its session name is part of who we are to the brokers. Default `'pipe-kafka-kit'`. */
  | {
      readonly role: { readonly arn: string; readonly sessionName?: string | undefined }
      readonly credentials?: undefined
      readonly profile?: undefined
    }
)

/** Authentication by AWS IAM, for {@link createKafka}. */
export interface MskIamAuth {
  readonly mechanism: 'oauthbearer'
  readonly provider: 'msk-iam'
  /** A token that is good for at least a fifth of its time. One token serves all connections until then. */
  readonly token: () => Promise<{ readonly value: string }>
}

/** What is used of `aws-msk-iam-sasl-signer-js`. */
interface Signer {
  generateAuthToken(options: { region: string }): Promise<SignedToken>
  generateAuthTokenFromProfile(options: { region: string; awsProfileName: string }): Promise<SignedToken>
  generateAuthTokenFromRole(options: { region: string; awsRoleArn: string; awsRoleSessionName: string }): Promise<SignedToken>
  generateAuthTokenFromCredentialsProvider(options: {
    region: string
    awsCredentialsProvider: () => Promise<never>
  }): Promise<SignedToken>
}

interface SignedToken {
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly expiryTime: number
}

/**
 * Authenticates against Amazon MSK by AWS IAM: SASL/OAUTHBEARER with tokens of AWS's own signer, the optional peer dependency
 * `aws-msk-iam-sasl-signer-js`. Nothing is read or loaded before the first connection.
 *
 * A token is valid for 15 minutes, or as long as the credentials when they end before. It is renewed once four fifths of that have passed;
 * should that fail, the present one is used until it ends. Connections authenticate again before their session ends.
 *
 * Credentials come from the standard chain of the AWS SDK unless one of `credentials`, `profile`, `role` is given. A cluster does not let a
 * connection change its principal: with a web identity (EKS) set `AWS_ROLE_SESSION_NAME`, or the session name changes with each refresh and
 * connections are replaced.
 *
 * Neither tokens nor credentials stand in errors or logs. Not run on MSK yet: see docs/limits.md.
 *
 * The token function throws {@link KafkaError} `PIPE_KAFKA_AUTH`: the signer is not installed, or there are no credentials; retryable when
 * they could not be fetched just now.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` without a region, or with two places for credentials.
 * @see https://docs.aws.amazon.com/msk/latest/developerguide/iam-access-control.html
 * @example
 * ```ts
 * const kafka = createKafka({ brokers: ['b-1.shop.example:9098'], clientId: 'shop', auth: mskIam({ region: 'eu-central-1' }) })
 * ```
 */
export function mskIam(options: MskIamOptions): MskIamAuth {
  return mskIamWith(options, loadSigner)
}

/** {@link mskIam} with another way to load the signer; for tests. */
export function mskIamWith(options: MskIamOptions, load: () => Promise<unknown>): MskIamAuth {
  checkOptions('mskIam', options, { required: ['region'], optional: ['credentials', 'profile', 'role'] })
  const { region, credentials, profile, role } = options
  if (typeof region !== 'string' || !/^[a-z]{2}(-[a-z]+)+-\d+$/.test(region)) {
    throw new ConfigError(`mskIam: ${JSON.stringify(region)} is no region.`, { hint: "Write it as 'eu-central-1'." })
  }
  const places = Object.entries({ credentials, profile, role }).filter(([, value]) => value !== undefined)
  if (places.length > 1) {
    throw new ConfigError(`mskIam: ${places.map(([name]) => name).join(' and ')} exclude each other.`, {
      hint: 'Give one of them, or none for the standard credentials of the AWS SDK.',
    })
  }
  if (credentials !== undefined && typeof credentials !== 'function') {
    throw new ConfigError('mskIam: credentials must be a function that returns them, as the providers of the AWS SDK.')
  }
  if (role !== undefined) checkOptions('mskIam: role', role, { required: ['arn'], optional: ['sessionName'] })

  function sign(signer: Signer): Promise<SignedToken> {
    if (credentials) {
      return signer.generateAuthTokenFromCredentialsProvider({ region, awsCredentialsProvider: credentials as never })
    }
    if (profile !== undefined) return signer.generateAuthTokenFromProfile({ region, awsProfileName: profile })
    if (role) {
      const awsRoleSessionName = role.sessionName ?? 'pipe-kafka-kit'
      return signer.generateAuthTokenFromRole({ region, awsRoleArn: role.arn, awsRoleSessionName })
    }
    return signer.generateAuthToken({ region })
  }

  let held: { readonly value: string; readonly renewAtMs: number; readonly endsAtMs: number } | undefined
  let renewing: Promise<string> | undefined

  async function renew(): Promise<string> {
    try {
      const signer = await signerOf(load)
      const atMs = Date.now()
      const { token, expiryTime } = await signed(() => sign(signer))
      if (!(expiryTime > Date.now())) throw expired()
      held = { value: token, renewAtMs: atMs + (expiryTime - atMs) * 0.8, endsAtMs: expiryTime }
      return token
    } catch (error) {
      // What is held is good until it ends; whoever connects next tries again.
      if (held && Date.now() < held.endsAtMs) return held.value
      throw error
    }
  }

  return Object.freeze({
    mechanism: 'oauthbearer' as const,
    provider: 'msk-iam' as const,
    async token() {
      if (held && Date.now() < held.renewAtMs) return { value: held.value }
      renewing ??= renew().finally(() => {
        renewing = undefined
      })
      return { value: await renewing }
    },
  })
}

const signerPackage = 'aws-msk-iam-sasl-signer-js'

function loadSigner(): Promise<unknown> {
  return import('aws-msk-iam-sasl-signer-js')
}

async function signerOf(load: () => Promise<unknown>): Promise<Signer> {
  let module: { readonly default?: unknown; readonly generateAuthToken?: unknown }
  try {
    module = (await load()) as typeof module
  } catch (error) {
    throw new KafkaError('PIPE_KAFKA_AUTH', `MSK IAM needs the package ${signerPackage}, which cannot be loaded.`, {
      hint: `npm install ${signerPackage}`,
      cause: withoutSecrets(error),
    })
  }
  return (module.generateAuthToken === undefined ? module.default : module) as Signer
}

async function signed(sign: () => Promise<SignedToken>): Promise<SignedToken> {
  try {
    return await sign()
  } catch (error) {
    if (PipeError.isInstance(error)) throw error
    const cause = withoutSecrets(error)
    // The providers of the AWS SDK say so when they have looked everywhere.
    const isMissing = cause.name === 'CredentialsProviderError' || /credentials cannot be empty/i.test(cause.message)
    if (isMissing) {
      throw new KafkaError('PIPE_KAFKA_AUTH', `MSK IAM found no AWS credentials: ${cause.message}.`, {
        hint: 'Give the function a role, set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or pass credentials, profile or role to mskIam.',
        cause,
      })
    }
    throw new KafkaError('PIPE_KAFKA_AUTH', `MSK IAM could not get a token: ${cause.name}: ${cause.message}.`, {
      retryable: true,
      hint: 'Check that the credentials are valid and that their provider (STS, instance metadata) can be reached.',
      cause,
    })
  }
}

function expired(): KafkaError {
  return new KafkaError('PIPE_KAFKA_AUTH', 'MSK IAM got a token that has ended already.', {
    retryable: true,
    hint: 'Check the clock of this machine, and that the credentials have not expired.',
  })
}

/**
 * An error that is fit to be shown: its name, and its message without access keys, signed addresses or anything that looks like a token. What
 * it carried beside (requests, responses with headers) is left behind.
 */
export function withoutSecrets(error: unknown): Error {
  const { name = 'Error', message = String(error) } = (error ?? {}) as { name?: string; message?: string }
  const clean = new Error(
    message
      .replaceAll(/(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s]+/gi, '$1…')
      .replaceAll(/\bA[A-Z]{3}[A-Z0-9]{16}\b/g, '…')
      .replaceAll(/[\w+/=-]{40,}/g, '…')
      .replace(/[.\s]+$/, ''),
  )
  clean.name = name
  // The stack of a provider begins with its message, secrets included.
  clean.stack = `${name}: ${clean.message}`
  return clean
}
