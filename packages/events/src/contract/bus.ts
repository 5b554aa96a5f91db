import type { EventBridgeClient, PutEventsRequestEntry } from '@aws-sdk/client-eventbridge'
import { ConfigError, PipeError, sleep } from '@pipe/core'
import { checkOptions, deniedError, type HeldClient, holdClient, isAccessDenied } from '@pipe/core/internal'
import { checkDetail, type EventContract, nameOf } from './contract'
import { entryBytes, type SizedEntry } from './entry-size'

/** Options of {@link createBus}. */
export interface BusOptions {
  /** Name or ARN of an event bus. */
  readonly name: string
  /** Default: one made from the standard environment. */
  readonly client?: EventBridgeClient
  /**
   * Whether the first call looks up the bus (`events:DescribeEventBus`). EventBridge answers an unknown bus with an id and drops the
   * event. Default `true`.
   */
  readonly checksBus?: boolean
  /** Largest request. Default 1 048 576 (1 MB since January 2026; 262 144 before). */
  readonly maxRequestBytes?: number
  /** How often an entry that EventBridge refused for the moment is sent in all. Default 5. */
  readonly attempts?: number
}

/** What can be said of an event besides its detail. */
export interface PublishOptions {
  /** Default: when EventBridge receives it. */
  readonly time?: Date
  /** ARNs that the event is about. Default none. */
  readonly resources?: readonly string[]
  /** An abort rejects with its own `reason`; entries that were sent may have arrived. */
  readonly signal?: AbortSignal
}

/** Options of `publishMany`. */
export interface PublishManyOptions extends PublishOptions {
  /** Called after each request; `done` counts accepted events. */
  readonly onProgress?: (progress: { readonly phase: 'publish'; readonly done: number; readonly unit: 'events' }) => void
}

/** An accepted event. */
export interface Published {
  /** Given by EventBridge; the `id` of the event. */
  readonly id: string
}

/** Totals of `publishMany`. */
export interface PublishedMany {
  readonly published: number
  /** Entries that were sent again, each time counted. */
  readonly resent: number
  readonly requests: number
}

/** An entry that EventBridge did not take. */
export interface RefusedEntry {
  /** Place among the details given, from 0. */
  readonly index: number
  readonly errorCode: string
  readonly errorMessage: string
}

/** An event bus to publish to. */
export interface Bus {
  readonly name: string
  /**
   * Checks an event against its contract and publishes it.
   *
   * @throws PipeError `PIPE_EVENT_CONTRACT`; `PIPE_BUS_MISSING` when the bus does not exist; `PIPE_BUS_TOO_LARGE`; `PIPE_BUS_REFUSED`
   * (`details.refused`) when EventBridge does not take it after all attempts; `PIPE_IAM_DENIED`; the signal's reason.
   */
  publish<Detail>(contract: EventContract<Detail>, detail: NoInfer<Detail>, options?: PublishOptions): Promise<Published>
  /**
   * Publishes many events of one contract, in requests of at most 10 entries and `maxRequestBytes`; only refused entries are sent again.
   * Details are read as they are needed. Everything before the first that breaks the contract may have been published.
   *
   * @throws as `publish`; `PIPE_BUS_REFUSED` comes at the end, after everything else was published.
   */
  publishMany<Detail>(
    contract: EventContract<Detail>,
    details: Iterable<NoInfer<Detail>> | AsyncIterable<NoInfer<Detail>>,
    options?: PublishManyOptions,
  ): Promise<PublishedMany>
  /** Closes the client when it was made here. Idempotent. */
  close(): void
  [Symbol.asyncDispose](): Promise<void>
}

const maxEntries = 10
const maxListed = 1000
/** Codes that mean "not now": EventBridge's own failures and throttling. */
const passing =
  /^(InternalFailure|InternalException|InternalServerError|ServiceUnavailable|Throttling|ThrottlingException|LimitExceeded.*)$/

interface Entry {
  readonly index: number
  readonly entry: PutEventsRequestEntry & SizedEntry
  readonly bytes: number
}

/**
 * A bus to publish contracted events to.
 *
 * @throws ConfigError `PIPE_CONFIG` for options.
 * @example
 * ```ts
 * const bus = createBus({ name: 'orders' })
 * const { id } = await bus.publish(orderPlaced, { id: 'o-1', total: 120 })
 * ```
 */
export function createBus(options: BusOptions): Bus {
  checkOptions('createBus', options, { required: ['name'], optional: ['client', 'checksBus', 'maxRequestBytes', 'attempts'] })
  const { name, checksBus = true, maxRequestBytes = 1_048_576, attempts = 5 } = options
  if (!Number.isSafeInteger(attempts) || attempts < 1)
    throw new ConfigError(`createBus: attempts is ${attempts}, not a whole number above 0.`)
  if (!Number.isSafeInteger(maxRequestBytes) || maxRequestBytes < 1) {
    throw new ConfigError(`createBus: maxRequestBytes is ${maxRequestBytes}, not a whole number above 0.`)
  }
  let opened: Promise<Sender> | undefined
  const sender = () => {
    opened ??= openSender(name, options.client, checksBus).catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }

  const entryOf = async <Detail>(
    contract: EventContract<Detail>,
    given: Detail,
    index: number,
    more: PublishOptions,
  ): Promise<Entry> => {
    const entry = {
      EventBusName: name,
      Source: contract.source,
      DetailType: contract.detailType,
      Detail: await detailText(contract, given),
      ...(more.time === undefined ? {} : { Time: more.time }),
      ...(more.resources === undefined ? {} : { Resources: [...more.resources] }),
    }
    const bytes = entryBytes(entry)
    if (bytes > maxRequestBytes) {
      throw new PipeError(
        'PIPE_BUS_TOO_LARGE',
        `Event ${index} of ${nameOf(contract)} has ${bytes} bytes; a request takes ${maxRequestBytes}.`,
        {
          hint: 'Put the data into S3 and publish where it lies.',
          details: { index, bytes, maxRequestBytes },
        },
      )
    }
    return { index, entry, bytes }
  }

  const send = async (entries: readonly Entry[], totals: Totals, signal: AbortSignal | undefined) => {
    const { put } = await sender()
    let pending = entries
    for (let attempt = 1; pending.length > 0; attempt++) {
      signal?.throwIfAborted()
      if (attempt > 1) totals.resent += pending.length
      totals.requests++
      const answers = await put(pending, signal)
      const left: Entry[] = []
      pending.forEach((one, i) => {
        const { EventId, ErrorCode = 'InternalFailure', ErrorMessage = 'no id and no error' } = answers[i] ?? {}
        if (EventId !== undefined) {
          totals.published++
          totals.lastId = EventId
        } else if (attempt < attempts && passing.test(ErrorCode)) left.push(one)
        else {
          totals.refusedCount++
          if (totals.refused.length < maxListed)
            totals.refused.push({ index: one.index, errorCode: ErrorCode, errorMessage: ErrorMessage })
        }
      })
      pending = left
      if (pending.length > 0) await sleep(Math.random() * Math.min(5000, 100 * 2 ** attempt), signal)
    }
  }

  const publishMany: Bus['publishMany'] = async (contract, details, given = {}) => {
    checkOptions('bus.publishMany', given, { optional: ['time', 'resources', 'signal', 'onProgress'] })
    const { signal, onProgress } = given
    const totals = newTotals()
    let [chunk, bytes, index]: [Entry[], number, number] = [[], 0, 0]
    const flush = async () => {
      await send(chunk, totals, signal)
      onProgress?.({ phase: 'publish', done: totals.published, unit: 'events' })
      chunk = []
      bytes = 0
    }
    for await (const detail of details) {
      const entry = await entryOf(contract, detail, index++, given)
      if (chunk.length === maxEntries || bytes + entry.bytes > maxRequestBytes) await flush()
      chunk.push(entry)
      bytes += entry.bytes
    }
    if (chunk.length > 0) await flush()
    refuse(name, contract, totals)
    const { published, resent, requests } = totals
    return { published, resent, requests }
  }

  const close = () => {
    // A client that could not be made has nothing to close; its error went to the caller.
    opened?.then(({ close }) => close()).catch(() => {})
    opened = undefined
  }
  return {
    name,
    async publish(contract, detail, given = {}) {
      checkOptions('bus.publish', given, { optional: ['time', 'resources', 'signal'] })
      const totals = newTotals()
      await send([await entryOf(contract, detail, 0, given)], totals, given.signal)
      refuse(name, contract, totals)
      return { id: totals.lastId }
    },
    publishMany,
    close,
    async [Symbol.asyncDispose]() {
      close()
    },
  }
}

interface Totals {
  published: number
  resent: number
  requests: number
  refusedCount: number
  lastId: string
  readonly refused: RefusedEntry[]
}

function newTotals(): Totals {
  return { published: 0, resent: 0, requests: 0, refusedCount: 0, lastId: '', refused: [] }
}

function refuse(bus: string, contract: EventContract, { refused, refusedCount, published }: Totals): void {
  const [first] = refused
  if (!first) return
  const text = `${refusedCount} of ${published + refusedCount} events of ${nameOf(contract)} were not taken by ${bus}; first: ${first.errorCode} ${first.errorMessage}.`
  throw new PipeError('PIPE_BUS_REFUSED', text, {
    retryable: refused.every(({ errorCode }) => passing.test(errorCode)),
    hint: 'details.refused lists them by their place; publish those again, not the others.',
    details: { bus, published, refusedCount, refused },
  })
}

async function detailText<Detail>(contract: EventContract<Detail>, detail: Detail): Promise<string> {
  const { version } = contract
  const versioned = version === undefined ? detail : { ...detail, version }
  // What is published is what was given, once it passes: a schema's output may be no JSON.
  await checkDetail(contract, versioned)
  return JSON.stringify(versioned)
}

interface Answer {
  readonly EventId?: string
  readonly ErrorCode?: string
  readonly ErrorMessage?: string
}

interface Sender {
  put(entries: readonly Entry[], signal: AbortSignal | undefined): Promise<readonly Answer[]>
  close(): void
}

async function openSender(bus: string, given: EventBridgeClient | undefined, checksBus: boolean): Promise<Sender> {
  // Loaded on first use: patterns, schedules and handlers need no SDK.
  const { DescribeEventBusCommand, EventBridgeClient: Client, PutEventsCommand } = await import('@aws-sdk/client-eventbridge')
  const { client, close }: HeldClient<EventBridgeClient> = holdClient('createBus', given, () => new Client({}))
  const resource = bus.startsWith('arn:') ? bus : `arn:aws:events:*:*:event-bus/${bus}`
  try {
    if (checksBus) await client.send(new DescribeEventBusCommand({ Name: bus }))
  } catch (error) {
    close()
    if (isAccessDenied(error)) {
      throw deniedError(error, { action: 'events:DescribeEventBus', resource }, 'Or createBus({ checksBus: false }).')
    }
    if ((error as { name?: unknown }).name !== 'ResourceNotFoundException') throw error
    throw new PipeError('PIPE_BUS_MISSING', `There is no event bus "${bus}".`, {
      hint: 'EventBridge would answer with an id and drop the event. Create the bus, or correct its name, account or region.',
      cause: error,
      details: { bus },
    })
  }
  return {
    async put(entries, abortSignal) {
      try {
        const Entries = entries.map(({ entry }) => entry)
        const { Entries: answers = [] } = await client.send(new PutEventsCommand({ Entries }), abortSignal ? { abortSignal } : {})
        return answers
      } catch (error) {
        abortSignal?.throwIfAborted()
        throw isAccessDenied(error) ? deniedError(error, { action: 'events:PutEvents', resource }) : error
      }
    },
    close,
  }
}
