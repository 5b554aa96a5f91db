import { column } from '@pipe/core'
import { expectTypeOf } from 'vitest'
import { createKafka, defineTopic, type InputRecord, type KafkaAuth, type MskIamAuth, mskIam } from '../../src/index'

const value = { id: column.string() }
const auth = mskIam({ region: 'eu-central-1' })
expectTypeOf(auth).toEqualTypeOf<MskIamAuth>()
expectTypeOf(auth).toExtend<KafkaAuth>()

// One place for credentials.
mskIam({ region: 'eu-central-1', role: { arn: 'arn:aws:iam::123456789012:role/orders' } })
// @ts-expect-error two exclude each other
mskIam({ region: 'eu-central-1', profile: 'a', role: { arn: 'b' } })

// MSK Serverless: what it does not let one set does not compile.
const orders = defineTopic('orders', {
  platform: 'msk-serverless',
  key: column.string(),
  value,
  partitions: 6,
  cleanup: 'compact',
})
expectTypeOf<InputRecord<typeof orders>['key']>().toEqualTypeOf<string>()
expectTypeOf<InputRecord<typeof orders>['value']>().toEqualTypeOf<{ id: string } | null>()
// @ts-expect-error replicas are the service's
defineTopic('orders', { platform: 'msk-serverless', value, partitions: 6, replicationFactor: 3 })
// @ts-expect-error so is min.insync.replicas
defineTopic('orders', { platform: 'msk-serverless', value, partitions: 6, minInSyncReplicas: 2 })
// @ts-expect-error a config that cannot be set
defineTopic('orders', { platform: 'msk-serverless', value, partitions: 6, config: { 'segment.bytes': '1048576' } })
defineTopic('orders', { platform: 'msk-serverless', value, partitions: 6, config: { 'compression.type': 'zstd' } })
// @ts-expect-error everywhere else the replicas are needed
defineTopic('orders', { value, partitions: 6 })

const settings = { brokers: ['b-1.shop.example:9098'], clientId: 'shop' }
createKafka({ ...settings, platform: 'msk-serverless', auth })
// @ts-expect-error IAM only
createKafka({ ...settings, platform: 'msk-serverless', auth: { mechanism: 'plain', username: 'a', password: 'b' } })
// @ts-expect-error with authentication
createKafka({ ...settings, platform: 'msk-serverless' })
// @ts-expect-error TLS only
createKafka({ ...settings, platform: 'msk-serverless', auth, ssl: false })
