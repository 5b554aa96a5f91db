import { PipeError } from '@pipe/core'
import type { BrokerProcess, BrokerState } from './broker-process'
import { type ClusterProbe, createClusterProbe, until } from './cluster-probe'
import type { FaultProxy } from './fault-proxy'

/** One broker of the cluster: a process of its own with a fault proxy in front of it. */
export interface KafkaBroker {
  /** Node id, from 1. */
  readonly id: number
  /** `127.0.0.1:port`, direct. */
  readonly address: string
  /** `127.0.0.1:port`, through the fault proxy. */
  readonly proxiedAddress: string
  readonly proxy: FaultProxy
  state(): BrokerState
  pid(): number | undefined
  /** SIGKILL: a crash. Resolves when the process is gone. What the operating system has of its log stays. */
  kill(): Promise<void>
  /** SIGTERM: controlled shutdown. Resolves when the process is gone. */
  terminate(): Promise<void>
  /** SIGSTOP: a zombie. Its connections stay open; after its session another leader is elected. */
  stop(): void
  /** SIGCONT. */
  continue(): void
  /**
   * Starts it again on its storage and waits until it takes part in the cluster. Needs a majority of controllers: restart several with
   * `Promise.all`.
   *
   * @throws PipeError `PIPE_TESTKIT_KAFKA` with the end of its log when it ends or does not join in time.
   */
  restart(): Promise<void>
  /** The last lines of its log. */
  logTail(lines?: number): Promise<string>
}

/** How long a broker may take to come back: it recovers its logs first, and the machine may be busy. */
const restartTimeoutMs = 120_000

/** Joins a broker's process, its proxy and the cluster it belongs to. */
export function brokerOf(from: {
  readonly broker: BrokerProcess
  readonly id: number
  readonly address: string
  readonly proxy: FaultProxy
  readonly probe: ClusterProbe
}): KafkaBroker {
  const { broker, id, probe } = from
  return {
    id,
    address: from.address,
    proxiedAddress: `127.0.0.1:${from.proxy.port}`,
    proxy: from.proxy,
    state: broker.state,
    pid: broker.pid,
    kill: broker.kill,
    terminate: broker.terminate,
    stop: broker.stop,
    continue: broker.continue,
    logTail: broker.logTail,
    async restart() {
      broker.start()
      // Asked itself, and only itself: the others may still list it as it was before.
      const own = createClusterProbe(() => [from.address])
      const check = () => {
        if (broker.state() === 'ended') throw new PipeError('PIPE_TESTKIT_KAFKA', `broker ${id} ended during its restart.`)
      }
      try {
        await until(`broker ${id} to join again`, restartTimeoutMs, async () => (await own.brokerIds()).includes(id), { check })
        await until('the others to see it', restartTimeoutMs, async () => (await probe.brokerIds()).includes(id), { check })
      } catch (error) {
        throw new PipeError('PIPE_TESTKIT_KAFKA', `broker ${id} did not come back: ${String(error)}\n${await broker.logTail()}`, {
          cause: error,
        })
      }
    },
  }
}
