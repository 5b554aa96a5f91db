// A user's script, from nothing to the first answer of S3: it reports its usage and ends.
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { startLocal } from '@pipe/local'

const local = await startLocal({ dir: process.argv[2]! })
const client = new S3Client(local.aws)
await client.send(new CreateBucketCommand({ Bucket: 'first' }))
const usage = process.resourceUsage()
console.log(JSON.stringify({ cpuMs: (usage.userCPUTime + usage.systemCPUTime) / 1000, peakRssMb: usage.maxRSS / 1024 }))
client.destroy()
await local.close()
