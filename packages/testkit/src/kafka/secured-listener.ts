import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PipeError } from '@pipe/core'
import { run } from './java'
import { kafkaUser } from './warm-start'

/** How to reach the listener with TLS and SASL. */
export interface SecuredAccess {
  /** `127.0.0.1:port` of every broker. */
  readonly bootstrap: readonly string[]
  /** The certificate that signs every broker's, PEM: `ssl: { ca }`. */
  readonly ca: string
  /** A user of PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. OAUTHBEARER takes unsecured tokens (`alg: none`) of any subject. */
  readonly username: string
  readonly password: string
}

const storePassword = 'pipe-secret'

/**
 * Makes a key and a self-signed certificate for 127.0.0.1 with Java's `keytool`, and the settings of a SASL_SSL listener named SECURED.
 *
 * @throws {@link PipeError} `PIPE_TESTKIT_KAFKA_UNAVAILABLE` when keytool fails.
 */
export async function secureListener(
  java: string,
  folder: string,
): Promise<{ readonly settings: Readonly<Record<string, string>>; readonly ca: string }> {
  const keytool = java.replace(/java$/, 'keytool')
  const store = join(folder, 'broker.p12')
  const access = ['-keystore', store, '-storetype', 'PKCS12', '-storepass', storePassword, '-alias', 'broker']
  const certificate = join(folder, 'ca.pem')
  const key = ['-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '3650', '-dname', 'CN=127.0.0.1']
  await checked(keytool, [...key, '-ext', 'SAN=ip:127.0.0.1,dns:localhost', ...access])
  await checked(keytool, ['-exportcert', '-rfc', '-file', certificate, ...access])
  const { username, password } = kafkaUser
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule'
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  const bearer =
    'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";'
  const listener = 'listener.name.secured'
  return {
    ca: await readFile(certificate, 'utf8'),
    settings: {
      [`${listener}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      [`${listener}.plain.sasl.jaas.config`]: `${plain} required user_${username}="${password}";`,
      [`${listener}.scram-sha-256.sasl.jaas.config`]: scram,
      [`${listener}.scram-sha-512.sasl.jaas.config`]: scram,
      [`${listener}.oauthbearer.sasl.jaas.config`]: bearer,
      [`${listener}.ssl.keystore.type`]: 'PKCS12',
      [`${listener}.ssl.keystore.location`]: store,
      [`${listener}.ssl.keystore.password`]: storePassword,
      [`${listener}.ssl.key.password`]: storePassword,
    },
  }
}

async function checked(command: string, args: readonly string[]): Promise<void> {
  const { failure } = await run(command, args)
  if (failure !== undefined) throw new PipeError('PIPE_TESTKIT_KAFKA_UNAVAILABLE', `${command} failed: ${failure}`)
}
