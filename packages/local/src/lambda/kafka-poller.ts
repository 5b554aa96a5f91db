import type { RuntimeClock } from '../clock'
import { functionArn } from './function-config'
import type { InvokeResult } from './invocation-log'
import { type GivenUp, runKafkaBatch } from './kafka-batch'
import { kafkaEvent, partitionName } from './kafka-event'
import type { KafkaMapping } from './kafka-mapping'
import { type KafkaSource, openKafkaSource, type SourceRecord } from './kafka-source'

/** Reads a topic for a function. */
export interface KafkaPoller {
  /** Why it cannot read at the moment. */
  problem(): string | undefined
  close(): void
}

/** What a poller works with. */
export interface KafkaPollerOptions {
  readonly clock: RuntimeClock
  readonly bootstrap: readonly string[]
  /** What the function's role lacks to read the topic; `undefined` when nothing. */
  missingRight(): string | undefined
  /** Calls the function; the clock tracks the call. */
  invoke(functionName: string, event: unknown): Promise<InvokeResult>
  /** Puts a text into the queue of an ARN, as the function. @throws when it may not or there is none. */
  sendToQueue(arn: string, text: string, functionName: string): void
  onFailure(message: string, attempt: number, isFinal: boolean): void
  count(what: 'retried' | 'deadLettered'): void
}

const longPollMs = 500
const reconnectMs = 1000
/** What an event may hold, less what stands around the records. */
const maxBatchBytes = 6 * 1024 * 1024 - 64 * 1024

/**
 * Invokes the function for what lies in the topic, in batches; one at a time, so that the order of every partition is kept. The place of the
 * group is committed when a batch was handled or given up. Reading is in real time; windows and retries are on the runtime's clock.
 */
export function startKafkaPoller(mapping: KafkaMapping, options: KafkaPollerOptions): KafkaPoller {
  const { clock, bootstrap, missingRight, invoke, sendToQueue, onFailure, count } = options
  let closed = false
  let problem: string | undefined
  let source: KafkaSource | undefined
  let wake = () => {}

  const setProblem = (next: string | undefined) => {
    // Told once, however often it is tried.
    if (next !== undefined && next !== problem) onFailure(next, 1, false)
    problem = next
  }
  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, reconnectMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const giveUp = ({ records, condition, attempts, result }: GivenUp) => {
    if (mapping.onFailure === undefined) return
    const text = destinationText(mapping, bootstrap, { records, condition, attempts, result, at: clock.now() })
    try {
      sendToQueue(mapping.onFailure, text, mapping.functionName)
      count('deadLettered')
    } catch (error) {
      onFailure(`The destination ${mapping.onFailure} did not take a batch: ${(error as Error).message}`, attempts, true)
    }
  }
  const deliver = (batch: readonly SourceRecord[], onBegun: () => void) =>
    new Promise<void>((resolve, reject) => {
      wake = resolve
      const work = runKafkaBatch(
        batch,
        {
          clock,
          mapping,
          invoke: (records) => invoke(mapping.functionName, kafkaEvent(mapping, bootstrap, records)),
          isClosed: () => closed,
          onFailure,
          onRetry: () => count('retried'),
          onGivenUp: giveUp,
        },
        resolve,
      )
      work.catch(reject)
      onBegun()
    })
  /** Reads until there is a full batch, or the window that began with its first record is over. */
  const gather = async (from: KafkaSource, buffer: SourceRecord[]): Promise<() => void> => {
    let isOver = mapping.windowMs === 0
    let begun = () => {}
    let cancel: (() => void) | undefined
    let over: Promise<void> | undefined
    while (!closed && buffer.length < mapping.batchSize && !(isOver && buffer.length > 0)) {
      if (buffer.length > 0 && !over) {
        over = new Promise<void>((resolve) => {
          cancel = clock.schedule(clock.now() + mapping.windowMs, () => {
            isOver = true
            resolve()
            // The instant is not over before the batch has begun.
            return new Promise<void>((done) => {
              begun = done
            })
          })
        })
      }
      reading ??= from.read(longPollMs)
      const found = await (over ? Promise.race([reading, over]) : reading)
      if (!found) continue
      reading = undefined
      buffer.push(...found)
    }
    cancel?.()
    return () => begun()
  }
  let reading: Promise<readonly SourceRecord[]> | undefined
  const readOn = async (from: KafkaSource) => {
    const buffer: SourceRecord[] = []
    while (!closed && missingRight() === undefined) {
      const begun = await gather(from, buffer)
      if (closed) return begun()
      const batch = buffer.splice(0, sizeOfBatch(buffer, mapping.batchSize))
      const wanted = batch.filter(isWanted)
      if (wanted.length === 0) begun()
      else await deliver(wanted, begun)
      if (!closed && batch.length > 0) await from.commit(nextOffsets(batch))
    }
  }
  const isWanted = ({ value }: SourceRecord) => mapping.filter?.matches({ value: value?.toString('utf8') ?? null }) ?? true
  const run = async () => {
    while (!closed) {
      try {
        const missing = missingRight()
        if (missing !== undefined) setProblem(missing)
        else {
          const { topic, group, start } = mapping
          source = await openKafkaSource({ bootstrap, topic, group, start })
          setProblem(undefined)
          await readOn(source)
        }
      } catch (error) {
        if (!closed) setProblem(error instanceof Error ? error.message : String(error))
      } finally {
        reading = undefined
        source?.close()
      }
      if (!closed) await pause()
    }
  }
  void run()
  return {
    problem: () => problem,
    close() {
      closed = true
      source?.close()
      wake()
    },
  }
}

/** How many of the records are one batch: by count, and by what an event may hold. */
function sizeOfBatch(records: readonly SourceRecord[], max: number): number {
  let bytes = 0
  for (const [i, { key, value, headers }] of records.entries()) {
    if (i === max) return i
    const inHeaders = headers.reduce((sum, header) => sum + header.key.length + 4 * (header.value?.length ?? 0), 0)
    bytes += ((key?.length ?? 0) + (value?.length ?? 0)) * (4 / 3) + inHeaders + 200
    // One record is a batch, however large it is.
    if (bytes > maxBatchBytes && i > 0) return i
  }
  return records.length
}

function nextOffsets(batch: readonly SourceRecord[]): ReadonlyMap<number, number> {
  const next = new Map<number, number>()
  for (const { partition, offset } of batch) next.set(partition, offset + 1)
  return next
}

/**
 * The record of a destination: where the records lie, not the records.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html
 */
function destinationText(
  { clusterArn, functionName }: KafkaMapping,
  bootstrap: readonly string[],
  { records, condition, attempts, result, at }: GivenUp & { readonly at: number },
): string {
  const recordsInfo: Record<string, object> = {}
  for (const name of new Set(records.map(partitionName))) {
    const own = records.filter((record) => partitionName(record) === name)
    const [first, last] = [own[0]!, own.at(-1)!]
    recordsInfo[name] = {
      firstRecordOffset: String(first.offset),
      lastRecordOffset: String(last.offset),
      firstRecordTimestamp: new Date(first.timestampMs).toISOString(),
      lastRecordTimestamp: new Date(last.timestampMs).toISOString(),
    }
  }
  return JSON.stringify({
    requestContext: {
      requestId: result?.requestId ?? null,
      functionArn: `${functionArn(functionName)}:$LATEST`,
      condition,
      approximateInvokeCount: attempts,
    },
    responseContext: {
      statusCode: 200,
      executedVersion: '$LATEST',
      functionError: result?.functionError ?? null,
    },
    version: '1.0',
    timestamp: new Date(at).toISOString(),
    KafkaBatchInfo: {
      batchSize: records.length,
      eventSourceArn: clusterArn ?? null,
      bootstrapServers: bootstrap.join(','),
      payloadSize: records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0),
      recordsInfo,
    },
  })
}
