import { type SaslAuthenticateResponse, saslAuthenticate, saslHandshake } from '@pipe/kafka-wire'
import { errorCode } from '../error-code'
import { createScramExchange, ScramError, type ScramExchange, type ScramHash } from '../sasl/scram'
import { type Login, type ServedApi, serve } from '../wire/served-api'

const scramHashes: Readonly<Record<string, ScramHash>> = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' }
const mechanisms = ['PLAIN', ...Object.keys(scramHashes)]

/** SaslHandshake, from version 1 on: the exchange goes on in SaslAuthenticate. */
export const saslHandshakeApi: ServedApi = serve(
  saslHandshake,
  ({ mechanism }, { broker, login }) => {
    if (!broker.host.users) return { errorCode: errorCode.illegalSaslState, mechanisms: [] }
    if (!mechanisms.includes(mechanism)) return { errorCode: errorCode.unsupportedSaslMechanism, mechanisms }
    login.mechanism = mechanism
    login.exchange = undefined
    return { errorCode: errorCode.none, mechanisms }
  },
  { minVersion: 1 },
)

/** SaslAuthenticate: PLAIN in one step, SCRAM in two. After a failure the connection ends. */
export const saslAuthenticateApi: ServedApi = serve(
  saslAuthenticate,
  ({ authBytes }, { broker, login }): SaslAuthenticateResponse => {
    const answer = { errorMessage: null, authBytes: Buffer.alloc(0), sessionLifetimeMs: 0n }
    const { users } = broker.host
    if (!users || login.mechanism === undefined) {
      return { ...answer, errorCode: errorCode.illegalSaslState, errorMessage: 'SaslHandshake comes first.' }
    }
    const text = Buffer.from(authBytes).toString('utf8')
    try {
      const reply = login.mechanism === 'PLAIN' ? plain(text, users, login) : scram(text, users, login)
      return { ...answer, errorCode: errorCode.none, authBytes: Buffer.from(reply) }
    } catch (error) {
      if (!(error instanceof ScramError)) throw error
      login.mechanism = undefined
      login.failed = true
      const errorMessage = `Authentication failed during authentication due to invalid credentials.`
      return { ...answer, errorCode: errorCode.saslAuthenticationFailed, errorMessage }
    }
  },
)

/** Authorisation id, user and password, between zero bytes (RFC 4616). */
function plain(text: string, users: ReadonlyMap<string, string>, login: Login): string {
  const [, user = '', password = ''] = text.split('\0')
  if (users.get(user) !== password || !users.has(user)) throw new ScramError('Authentication failed.')
  login.user = user
  return ''
}

function scram(text: string, users: ReadonlyMap<string, string>, login: Login): string {
  login.exchange ??= createScramExchange(scramHashes[login.mechanism!]!, (user) => users.get(user))
  const { reply, user } = (login.exchange as ScramExchange).next(text)
  login.user = user
  return reply
}
