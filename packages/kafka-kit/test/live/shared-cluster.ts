import { type KafkaCluster, startKafkaCluster } from '@pipe/testkit'

// The files of the live project run one after the other in one process (`isolate: false`): one cluster serves them all, as its start takes
// longer than most of them. Whoever kills a broker starts it again. It ends with the process; the guard of the testkit sees to that.
const clusters = new Map<string, Promise<KafkaCluster>>()

/** Three brokers of a version, with the secured listener beside. Topics and groups of other files are on them. */
export function sharedCluster(version: string): Promise<KafkaCluster> {
  let cluster = clusters.get(version)
  if (!cluster) {
    cluster = startKafkaCluster({ version, secured: true })
    clusters.set(version, cluster)
  }
  return cluster
}
