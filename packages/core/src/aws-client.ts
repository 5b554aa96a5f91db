import { ConfigError } from './error'

/** What every client of the AWS SDK for JavaScript v3 has. */
export interface AwsClient {
  send(...args: never[]): unknown
  destroy(): void
}

/** A client together with who must destroy it. */
export interface HeldClient<Client extends AwsClient> {
  readonly client: Client
  /** Destroys the client when it was made here; leaves a given one alone. Idempotent. */
  close(): void
}

/**
 * Takes the caller's client or makes one. A wrong object is refused instead of being replaced silently.
 *
 * @throws {@link ConfigError} when `given` is no client of the AWS SDK v3.
 */
export function holdClient<Client extends AwsClient>(
  where: string,
  given: Client | undefined,
  make: () => Client,
): HeldClient<Client> {
  if (given !== undefined) {
    checkClient(where, given)
    return { client: given, close: () => {} }
  }
  const client = make()
  let isClosed = false
  return {
    client,
    close: () => {
      if (!isClosed) client.destroy()
      isClosed = true
    },
  }
}

/**
 * Refuses what is no client of the AWS SDK v3.
 *
 * @throws {@link ConfigError}
 */
export function checkClient(where: string, given: unknown): void {
  const { send, destroy } = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>
  if (typeof send !== 'function' || typeof destroy !== 'function') {
    throw new ConfigError(`${where}: client is no client of the AWS SDK for JavaScript v3 (it has no send and destroy).`, {
      hint: 'Give one like new S3Client({ … }), or leave it out.',
    })
  }
}

/** Configuration of a client from the standard environment. */
export interface EnvironmentConfig {
  readonly region?: string
  readonly forcePathStyle?: boolean
}

/**
 * What the SDK does not take from the environment by itself: with an own endpoint (`AWS_ENDPOINT_URL` or `AWS_ENDPOINT_URL_S3`) buckets
 * stand in the path, as `bucket.127.0.0.1` resolves nowhere, and a region that nobody set is `us-east-1`.
 */
export function environmentConfig(env: Readonly<Record<string, string | undefined>> = process.env): EnvironmentConfig {
  if (!env['AWS_ENDPOINT_URL'] && !env['AWS_ENDPOINT_URL_S3']) return {}
  return { forcePathStyle: true, ...(env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] ? {} : { region: 'us-east-1' }) }
}
