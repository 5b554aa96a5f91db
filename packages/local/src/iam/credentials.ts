import { randomBytes } from 'node:crypto'
import type { Principal } from '../service'

/** Credentials of one principal. */
export interface LocalCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Credentials of a function: temporary ones, as its role has on AWS. */
export interface FunctionCredentials extends LocalCredentials {
  readonly sessionToken: string
}

/** Who owns which access key. */
export interface Credentials {
  readonly root: LocalCredentials
  /** New credentials for a function; those it had before stay good, for its running instances. */
  issue(name: string): FunctionCredentials
  /** Credentials of the root user of another account; always the same. */
  accountRoot(account: string): LocalCredentials
  principalOf(accessKeyId: string): Principal | undefined
}

/** The root user is always the same, so that a saved profile stays good: the runtime listens on the loopback interface only. */
export const rootCredentials: LocalCredentials = { accessKeyId: 'AKIALOCALROOT0000000', secretAccessKey: 'local-root-secret' }

/** A fresh list that knows the root user. */
export function createCredentials(): Credentials {
  const principals = new Map<string, Principal>([[rootCredentials.accessKeyId, { name: 'root', ...rootCredentials }]])
  return {
    root: rootCredentials,
    issue(name) {
      const accessKeyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`
      const secretAccessKey = randomBytes(30).toString('base64')
      principals.set(accessKeyId, { name, accessKeyId, secretAccessKey })
      return { accessKeyId, secretAccessKey, sessionToken: randomBytes(48).toString('base64') }
    },
    accountRoot,
    principalOf: (accessKeyId) => principals.get(accessKeyId) ?? foreignRoot(accessKeyId),
  }
}

function accountRoot(account: string): LocalCredentials {
  return { accessKeyId: `AKIALOCA${account}`, secretAccessKey: `local-root-secret-${account}` }
}

// The account stands in the key, so nothing has to be kept.
function foreignRoot(accessKeyId: string): Principal | undefined {
  const account = /^AKIALOCA(\d{12})$/.exec(accessKeyId)?.[1]
  return account === undefined ? undefined : { name: 'root', account, ...accountRoot(account) }
}
