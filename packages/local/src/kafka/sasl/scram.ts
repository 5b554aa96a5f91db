import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'

/** Hash of a SCRAM mechanism. */
export type ScramHash = 'sha256' | 'sha512'

/** One SCRAM exchange (RFC 5802), the server's side. */
export interface ScramExchange {
  /** Takes the next message of the client. Throws for a message that is not of the exchange, or a proof that does not fit. */
  next(message: string): ScramStep
}

/** What the server says; `user` is set when the exchange is over and the client is who it says. */
export interface ScramStep {
  readonly reply: string
  readonly user: string | undefined
}

/** The exchange failed; says as little as Kafka does. */
export class ScramError extends Error {}

const iterations = 4096

/** Begins an exchange. `passwordOf` knows the users. */
export function createScramExchange(hash: ScramHash, passwordOf: (user: string) => string | undefined): ScramExchange {
  const salt = randomBytes(16)
  let clientFirst: string | undefined
  let serverFirst = ''
  let user = ''

  function first(message: string): ScramStep {
    const parts = /^n,(?:a=[^,]*)?,(n=([^,]*),r=([^,]+).*)$/.exec(message)
    if (!parts) throw new ScramError('The first message is not SCRAM.')
    clientFirst = parts[1]!
    user = parts[2]!.replaceAll('=2C', ',').replaceAll('=3D', '=')
    const nonce = parts[3]! + randomBytes(18).toString('base64')
    serverFirst = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`
    return { reply: serverFirst, user: undefined }
  }

  function final(message: string): ScramStep {
    const parts = /^(c=([^,]*),r=([^,]*).*),p=([^,]+)$/.exec(message)
    const password = passwordOf(user)
    if (!parts || password === undefined || !serverFirst.startsWith(`r=${parts[3]},`))
      throw new ScramError('Authentication failed.')
    const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, hash === 'sha256' ? 32 : 64, hash)
    const hmac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest()
    const storedKey = createHash(hash).update(hmac(salted, 'Client Key')).digest()
    const authMessage = `${clientFirst},${serverFirst},${parts[1]}`
    const signature = hmac(storedKey, authMessage)
    const proof = Buffer.from(parts[4]!, 'base64')
    if (proof.length !== signature.length) throw new ScramError('Authentication failed.')
    const clientKey = Buffer.from(proof.map((byte, index) => byte ^ signature[index]!))
    if (!timingSafeEqual(createHash(hash).update(clientKey).digest(), storedKey)) throw new ScramError('Authentication failed.')
    return { reply: `v=${hmac(hmac(salted, 'Server Key'), authMessage).toString('base64')}`, user }
  }
  return { next: (message) => (clientFirst === undefined ? first(message) : final(message)) }
}
