import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KafkaArtifacts } from './artifacts'
import { type BrokerProcess, createBrokerProcess } from './broker-process'
import { brokerSettings, propertiesText } from './broker-settings'
import { freePorts } from './ports'
import type { ProcessGuard } from './process-guard'
import { jvmFlags, placeStorage } from './warm-start'

/** Ports of one broker. `proxy` is the listener behind the fault proxy, `advertisedProxy` the fault proxy's own. */
export interface BrokerPorts {
  readonly broker: number
  readonly proxy: number
  readonly controller: number
  readonly secured: number
  readonly advertisedProxy: number
}

/** Free ports for so many brokers. */
export async function portsOf(count: number): Promise<readonly BrokerPorts[]> {
  const names = ['broker', 'proxy', 'controller', 'secured', 'advertisedProxy'] as const
  const free = await freePorts(count * names.length)
  return Array.from({ length: count }, (_, index) => {
    return Object.fromEntries(names.map((name, at) => [name, free[index * names.length + at]])) as unknown as BrokerPorts
  })
}

/** Writes storage and settings of every broker; none is started yet. */
export async function prepareBrokers(from: {
  readonly minInSyncReplicas: number
  readonly overrides: Readonly<Record<string, string>>
  readonly artifacts: KafkaArtifacts
  readonly dir: string
  readonly ports: readonly BrokerPorts[]
  readonly guard: ProcessGuard
  readonly secured: Readonly<Record<string, string>> | undefined
}): Promise<readonly BrokerProcess[]> {
  const { artifacts, dir, ports } = from
  const clusterId = newKafkaId()
  const flags = [...jvmFlags, `-XX:SharedArchiveFile=${artifacts.warmth.classArchive}`, ...logFlags]
  return Promise.all(
    ports.map(async (port, index) => {
      const nodeId = index + 1
      const logDir = join(dir, `broker-${nodeId}`)
      await placeStorage(artifacts.warmth.template, logDir, { clusterId, nodeId, directoryId: newKafkaId() })
      const settings = brokerSettings({
        nodeId,
        ports: port,
        advertisedProxyPort: port.advertisedProxy,
        voters: ports.map(({ controller }, at) => ({ nodeId: at + 1, port: controller })),
        logDir,
        minInSyncReplicas: from.minInSyncReplicas,
        secured: from.secured && { port: port.secured, settings: from.secured },
        overrides: from.overrides,
      })
      const file = join(dir, `broker-${nodeId}.properties`)
      await writeFile(file, propertiesText(settings))
      return createBrokerProcess({
        name: `broker ${nodeId}`,
        java: artifacts.java,
        args: [...flags, '-cp', artifacts.classPath, 'kafka.Kafka', file],
        logFile: join(dir, `broker-${nodeId}.log`),
        guard: from.guard,
      })
    }),
  )
}

const logFlags: readonly string[] = [
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
  // Hundreds of lines at each start that only repeat the settings.
  '-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn',
]

/** 16 random bytes as Kafka writes its ids. Its tools refuse one that begins like an option. */
function newKafkaId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? newKafkaId() : id
}
