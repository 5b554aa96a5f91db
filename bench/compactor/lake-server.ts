// A local AWS in a process of its own: lake-server.mjs DIR FOLDER PREFIX [FOLDER PREFIX …]. Puts the files of each folder below its prefix of the bucket "lake",
// tells the parent how clients reach it, then answers each message with the CPU time since the last one and its peak memory.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { startLocal } from '@pipe/local'

const [dir, ...places] = process.argv.slice(2) as [string, ...string[]]
const local = await startLocal({ dir })
const s3 = new S3Client(local.aws)
await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
for (let i = 0; i < places.length; i += 2) await putFolder(places[i]!, places[i + 1]!)
s3.destroy()

let before = process.cpuUsage()
process.on('message', () => {
  const { user, system } = process.cpuUsage(before)
  before = process.cpuUsage()
  process.send!({ cpuMs: (user + system) / 1000, peakRssMb: process.resourceUsage().maxRSS / 1024 })
})
process.on('disconnect', () => process.exit(0))
process.send!(local.aws)

async function putFolder(folder: string, prefix: string): Promise<void> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  let next = 0
  const lane = async () => {
    while (next < files.length) {
      const { parentPath, name } = files[next++]!
      const Body = readFileSync(join(parentPath, name))
      await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: `${prefix}${name}`, Body }))
    }
  }
  await Promise.all(Array.from({ length: 16 }, lane))
}
