import { PutBucketPolicyCommand, type S3Client } from '@aws-sdk/client-s3'
import type { Local } from '@pipe/local'
import {
  applyReplication,
  defineReplication,
  diagnoseReplication,
  keyPrefix,
  planReplication,
  replicationPolicies,
  replicationRule,
} from '@pipe/s3-lifecycle'
import { places } from './places'

/** Account that keeps the copy: whoever loses the first one still has it. */
export const archiveAccount = '222222222222'
/** Its bucket. */
export const replicaBucket = `${places.bucket}-replica`

const role = 'log-pipeline-replication'

/** What was compacted, with the notes of the compactor, into a bucket of another account, which then owns it. */
export const replication = defineReplication({
  roleArn: `arn:aws:iam::000000000000:role/${role}`,
  rules: [
    replicationRule('compacted', {
      scope: keyPrefix(places.compacted),
      destination: { bucket: replicaBucket, account: archiveAccount, ownerOverride: true },
    }),
  ],
})

/** Gives role and bucket the smallest rights that do, sets the replication up and has it looked at. Returns what is wrong with it. */
export async function replicate(local: Local, client: S3Client, archive: S3Client): Promise<readonly string[]> {
  const policies = replicationPolicies({ replication, sourceBucket: places.bucket, sourceRegion: 'us-east-1' })
  local.iam.setRolePolicy(role, policies.role)
  const Policy = JSON.stringify(policies.destinationBuckets[replicaBucket])
  await archive.send(new PutBucketPolicyCommand({ Bucket: replicaBucket, Policy }))
  await applyReplication(await planReplication({ bucket: places.bucket, replication, client }), { client })
  const options = { bucket: places.bucket, client, destinationClient: archive, rolePolicy: policies.role }
  const { findings } = await diagnoseReplication(options)
  return findings.filter(({ severity }) => severity === 'broken').map(({ text, fix }) => `${text} ${fix}`)
}
