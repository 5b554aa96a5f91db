// Process that is measured from outside: `embedded` starts three Kafka brokers, `floor` three empty TCP servers. When they listen it prints its CPU time and peak
// memory, and ends.
import { once } from 'node:events'
import { createServer } from 'node:net'

if (process.argv[2] === 'embedded') {
  const { startKafka } = await import('@pipe/local')
  const kafka = await startKafka({ brokers: 3 })
  await kafka.close()
} else {
  const servers = Array.from({ length: 3 }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  for (const server of servers) server.close()
}
const { user, system } = process.cpuUsage()
console.log(JSON.stringify({ cpuMs: (user + system) / 1000, peakRssMb: process.resourceUsage().maxRSS / 1e3 }))
