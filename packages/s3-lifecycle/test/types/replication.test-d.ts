import { keyPrefix, replicationRule, wholeBucket } from '../../src/index'

const scope = keyPrefix('compacted/')
const tagged = wholeBucket({ tags: { a: 'b' } })
const kmsKeyArn = 'arn:aws:kms:eu-central-1:222222222222:key/1'

replicationRule('ok', {
  scope,
  destination: { bucket: 'archive', account: '222222222222', ownerOverride: true, kmsKeyArn, timeControl: true },
  kmsObjects: true,
  deleteMarkers: true,
  except: { prefixes: ['compacted/_state/'] },
})
replicationRule('tagged', { scope: tagged, destination: { bucket: 'archive' }, deleteMarkers: false })

// @ts-expect-error a destination
replicationRule('r', { scope })
// @ts-expect-error a scope
replicationRule('r', { destination: { bucket: 'archive' } })
// @ts-expect-error delete markers have no tags
replicationRule('r', { scope: tagged, destination: { bucket: 'archive' }, deleteMarkers: true })
// @ts-expect-error nor can they be left out by tags
replicationRule('r', { scope, destination: { bucket: 'archive' }, deleteMarkers: true, except: { tags: { a: 'b' } } })
// @ts-expect-error ownership goes to an account
replicationRule('r', { scope, destination: { bucket: 'archive', ownerOverride: true } })
// @ts-expect-error KMS objects need a key for the replicas
replicationRule('r', { scope, destination: { bucket: 'archive' }, kmsObjects: true })
// @ts-expect-error a key without KMS objects does nothing
replicationRule('r', { scope, destination: { bucket: 'archive', kmsKeyArn } })
// @ts-expect-error no half priorities
replicationRule('r', { scope, destination: { bucket: 'archive' }, priority: 1.5 })
// @ts-expect-error existing objects are not replicated by a rule any more
replicationRule('r', { scope, destination: { bucket: 'archive' }, existingObjects: true })
