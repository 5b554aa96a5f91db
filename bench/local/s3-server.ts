// One of the two servers of the bench, in a process of its own: `ours DIR` or `floor`. Sends the options of its clients to the parent, then answers each message
// with the CPU time since the last one and its peak memory.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Local, type LocalAws, startLocal } from '@pipe/local'

async function ours(dir: string): Promise<LocalAws> {
  const local: Local = await startLocal({ dir })
  return local.aws
}

// The least that an S3 client takes for a server: bodies in a map, no check of anything.
function floor(): Promise<LocalAws> {
  const bodies = new Map<string, Buffer>()
  const server = createServer((request, response) => {
    const key = request.url!.split('?')[0]!
    if (request.method === 'GET') {
      const body = bodies.get(key)!
      response.writeHead(200, { 'content-length': body.length, etag: '"floor"' })
      response.end(body)
      return
    }
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      bodies.set(key, Buffer.concat(chunks))
      response.writeHead(200, { 'content-length': 0, etag: '"floor"' })
      response.end()
    })
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      const credentials = { accessKeyId: 'AKIAFLOOR', secretAccessKey: 'floor' }
      resolve({ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', credentials, forcePathStyle: true })
    })
  })
}

const [kind, dir] = process.argv.slice(2)
let before = process.cpuUsage()
process.on('message', () => {
  const { user, system } = process.cpuUsage(before)
  before = process.cpuUsage()
  process.send!({ cpuMs: (user + system) / 1000, peakRssMb: process.resourceUsage().maxRSS / 1024 })
})
process.on('disconnect', () => process.exit(0))
process.send!(kind === 'ours' ? await ours(dir!) : await floor())
