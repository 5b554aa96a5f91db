import { type ObjectStore, PipeError } from '@pipe/core'
import { type SinkFormat, sinkFormats } from './sink-format'

// How files stay exactly once. Before a file is written, its range is claimed: one create-only object named by the first offset alone. Who
// comes second reads the claim and writes that range, under that key, or finds it written. So two workers (one that was thought dead, one
// that took over) can never write overlapping files, whatever their clocks, settings or memory made them cut; and what is stored does not
// hang on the group's committed offsets. The claims stay when the files are compacted, retired and deleted.

/** A range of offsets and the object that holds its records. */
export interface Claim {
  readonly first: bigint
  /** Inclusive. The next claim begins behind it. */
  readonly last: bigint
  /** Start of the roll window. */
  readonly window: Date
  /** Key of the object, relative to the target. */
  readonly key: string
  readonly format: SinkFormat
  /** As the claimant counted them: rows of the object, and records in the quarantine object. */
  readonly rows: number
  readonly quarantined: number
}

/** Where the files of a partition begin. */
export interface SinkStart {
  readonly first: bigint
  /** 32 hexadecimal digits; of zeros where the cluster gives none. */
  readonly topicId: string
}

/** The claims of one partition. */
export interface SinkLedger {
  /** What the first worker wrote; `start` when that is this one. */
  begin(start: SinkStart, signal: AbortSignal): Promise<SinkStart>
  /** The claim with the highest offsets. `end`: the end of the log. */
  latest(end: bigint, signal: AbortSignal): Promise<Claim | undefined>
  /** Claims a range. @returns the claim that holds from now on: the one given, or an earlier one with the same first offset (another object). */
  claim(claim: Claim, signal: AbortSignal): Promise<Claim>
  /** Whether a range behind this one is claimed. */
  goesOnAfter(first: bigint, signal: AbortSignal): Promise<boolean>
}

/** Offsets in keys: all digits of 2^63, so that keys sort as offsets do. */
export function offsetText(offset: bigint): string {
  return offset.toString().padStart(19, '0')
}

const pageSize = 1000

/** Makes the ledger of a partition below `_sink/` of the target: Athena and the compactor pass names that begin with `_` over. */
export function createSinkLedger(store: ObjectStore, topic: string, partition: number): SinkLedger {
  const prefix = `_sink/${topic}/${partition}/`
  const startKey = `${prefix}start.json`
  const claimKey = (first: bigint) => `${prefix}${offsetText(first)}.json`

  /** The claims behind an offset, at most a page of them. */
  async function page(
    after: bigint,
    signal: AbortSignal,
  ): Promise<{ readonly last: bigint | undefined; readonly isFull: boolean }> {
    const startAfter = after < 0n ? prefix : claimKey(after)
    let last: bigint | undefined
    let count = 0
    for await (const { key } of store.list({ prefix, startAfter, signal })) {
      const digits = /^(\d{19})\.json$/.exec(key.slice(prefix.length))?.[1]
      // `start.json` sorts behind all of them.
      if (digits === undefined) continue
      last = BigInt(digits)
      if (++count === pageSize) return { last, isFull: true }
    }
    return { last, isFull: false }
  }

  /** Halves the log instead of reading all pages: a year of files is found in some twenty calls. */
  async function latestFirst(end: bigint, signal: AbortSignal): Promise<bigint | undefined> {
    let { last: low, isFull } = await page(-1n, signal)
    let high = end
    while (low !== undefined && isFull && high - low > 1n) {
      const middle = (low + high) / 2n
      const upper = await page(middle, signal)
      if (upper.last === undefined) high = middle
      else {
        low = upper.last
        isFull = upper.isFull
      }
    }
    // The halves met, or others went on beyond the end that was known: what is left lies directly behind.
    while (low !== undefined && isFull) {
      const rest = await page(low, signal)
      low = rest.last ?? low
      isFull = rest.isFull
    }
    return low
  }

  async function read(key: string, signal: AbortSignal): Promise<Record<string, unknown>> {
    const body = await store.get(key, { signal })
    if (!body) throw damaged(store.uri(key), 'it is gone')
    const text = await body.text()
    try {
      return JSON.parse(text) as Record<string, unknown>
    } catch (cause) {
      throw damaged(store.uri(key), `it is not JSON: ${text.slice(0, 60)}`, cause)
    }
  }

  async function readClaim(first: bigint, signal: AbortSignal): Promise<Claim> {
    const key = claimKey(first)
    const { last, window, key: file, format, rows, quarantined } = await read(key, signal)
    const isSound =
      typeof last === 'string' &&
      /^\d+$/.test(last) &&
      BigInt(last) >= first &&
      typeof window === 'string' &&
      !Number.isNaN(Date.parse(window)) &&
      typeof file === 'string' &&
      sinkFormats.includes(format as SinkFormat) &&
      Number.isSafeInteger(rows) &&
      Number.isSafeInteger(quarantined)
    if (!isSound) throw damaged(store.uri(key), 'it is no claim of a sink')
    return {
      first,
      last: BigInt(last),
      window: new Date(window),
      key: file,
      format: format as SinkFormat,
      rows: rows as number,
      quarantined: quarantined as number,
    }
  }

  return {
    async begin(start, signal) {
      const text = JSON.stringify({ first: start.first.toString(), topicId: start.topicId })
      const { outcome } = await store.putIfAbsent(startKey, text, { contentType: 'application/json', signal })
      if (outcome === 'created') return start
      const { first, topicId } = await read(startKey, signal)
      if (typeof first !== 'string' || !/^\d+$/.test(first) || typeof topicId !== 'string') {
        throw damaged(store.uri(startKey), 'it is no start of a sink')
      }
      return { first: BigInt(first), topicId }
    },
    async latest(end, signal) {
      const first = await latestFirst(end, signal)
      return first === undefined ? undefined : readClaim(first, signal)
    },
    async claim(claim, signal) {
      const { first, last, window, key, format, rows, quarantined } = claim
      const text = JSON.stringify({ last: last.toString(), window: window.toISOString(), key, format, rows, quarantined })
      const { outcome } = await store.putIfAbsent(claimKey(first), text, { contentType: 'application/json', signal })
      return outcome === 'created' ? claim : readClaim(first, signal)
    },
    async goesOnAfter(first, signal) {
      for await (const { key } of store.list({ prefix, startAfter: claimKey(first), signal })) return key !== startKey
      return false
    },
  }
}

function damaged(uri: string, reason: string, cause?: unknown): PipeError {
  return new PipeError('PIPE_KAFKA_SINK_STATE', `${uri} cannot be used: ${reason}.`, {
    hint: 'It says which offsets are stored: restore it from its previous version. Nothing was written.',
    cause,
  })
}
