import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { batchHeaderBytes, crc32c, readBatchHeader } from '@pipe/kafka-wire'
import type { PartitionLog, Segment } from '../log/partition-log'
import { type StoredBatch, storedBatchOf } from '../log/stored-batch'

// A replica on disk, as Kafka lays it out: a file a segment, named by its first offset, with the batches one after the other as they are on the
// wire. Where the log begins and ends stands in `offsets.json`, as neither can be seen from the batches once some were deleted.

/** Same batches of the replicas of a partition, so that they are held once. */
export type SharedBatches = Map<string, Buffer>

// Places in the header of a batch: https://kafka.apache.org/documentation/#recordbatch
const lengthAt = 8
const magicAt = 16
const crcAt = 17
const attributesAt = 21

/** Fills an empty log with what lies in a folder and from then on writes every change there. A tail that is cut off or damaged is left behind, as Kafka does. */
export function keepOnDisk(log: PartitionLog, folder: string, shared: SharedBatches): PartitionLog {
  mkdirSync(folder, { recursive: true })
  restore(log, folder, shared)
  const fileOf = (baseOffset: number) => join(folder, `${String(baseOffset).padStart(20, '0')}.log`)

  function writeOffsets(): void {
    const { startOffset, endOffset } = log
    replaceFile(join(folder, offsetsFile), JSON.stringify({ startOffset, endOffset }))
  }

  /** Brings the files in line with the segments. `rewritten`: base offset of one whose batches are others now. */
  function align(rewritten?: number): void {
    const kept = new Set(log.segments.map(({ baseOffset }) => fileOf(baseOffset)))
    for (const name of logFiles(folder)) if (!kept.has(join(folder, name))) rmSync(join(folder, name))
    for (const { baseOffset, batches, sizeBytes } of log.segments) {
      const file = fileOf(baseOffset)
      if (baseOffset !== rewritten && sizeOf(file) === sizeBytes) continue
      replaceFile(file, Buffer.concat(batches.map(({ bytes }) => bytes)))
    }
    writeOffsets()
  }

  align()
  // Its figures are getters: they are taken over as such.
  const kept: PartitionLog = Object.defineProperties({} as PartitionLog, Object.getOwnPropertyDescriptors(log))
  return Object.assign(kept, {
    append(batch: StoredBatch) {
      log.append(batch)
      appendFileSync(fileOf(log.segments[log.segments.length - 1]!.baseOffset), batch.bytes)
    },
    truncate(offset: number) {
      log.truncate(offset)
      align()
    },
    moveStart(offset: number) {
      log.moveStart(offset)
      align()
    },
    restartAt(offset: number) {
      log.restartAt(offset)
      align()
    },
    replace(segment: Segment) {
      log.replace(segment)
      align(segment.baseOffset)
    },
    roll() {
      log.roll()
      align()
    },
  } satisfies Partial<PartitionLog>)
}

/** Where the log in a folder ends. */
export function endOnDisk(folder: string): number {
  const { endOffset } = readOffsets(folder) ?? { endOffset: -1 }
  const last = logFiles(folder).at(-1)
  if (last === undefined) return endOffset
  const { batches } = readWhole(readFileSync(join(folder, last)), new Map(), folder)
  return batches.length > 0 ? batches[batches.length - 1]!.lastOffset + 1 : Number.parseInt(last, 10)
}

const offsetsFile = 'offsets.json'

interface Offsets {
  readonly startOffset: number
  readonly endOffset: number
}

function readOffsets(folder: string): Offsets | undefined {
  const file = join(folder, offsetsFile)
  return sizeOf(file) < 0 ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as Offsets)
}

function logFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort()
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? -1
}

function replaceFile(file: string, content: string | Buffer): void {
  writeFileSync(`${file}.partial`, content)
  renameSync(`${file}.partial`, file)
}

function restore(log: PartitionLog, folder: string, shared: SharedBatches): void {
  const offsets = readOffsets(folder)
  if (!offsets) return
  const names = logFiles(folder)
  log.restartAt(names.length > 0 ? Number.parseInt(names[0]!, 10) : offsets.startOffset)
  for (const [index, name] of names.entries()) {
    if (index > 0) log.roll()
    const bytes = readFileSync(join(folder, name))
    const read = readWhole(bytes, shared, folder)
    for (const batch of read.batches) log.append(batch)
    if (read.sizeBytes < bytes.length) break
  }
  if (log.endOffset < offsets.endOffset && names.length === 0) log.restartAt(offsets.endOffset)
  log.moveStart(offsets.startOffset)
}

/** The batches of a file up to the first one that is not whole. */
function readWhole(
  bytes: Buffer,
  shared: SharedBatches,
  folder: string,
): { readonly batches: StoredBatch[]; readonly sizeBytes: number } {
  const batches: StoredBatch[] = []
  let sizeBytes = 0
  while (sizeBytes + batchHeaderBytes <= bytes.length) {
    const end = sizeBytes + bytes.readInt32BE(sizeBytes + lengthAt) + lengthAt + 4
    if (end < sizeBytes + batchHeaderBytes || end > bytes.length) break
    const piece = bytes.subarray(sizeBytes, end)
    if (piece[magicAt] !== 2 || crc32c(piece, attributesAt) !== piece.readUInt32BE(crcAt)) break
    const header = readBatchHeader(piece)
    const key = `${folder.slice(folder.lastIndexOf('/'))} ${header.baseOffset} ${header.partitionLeaderEpoch}`
    const known = shared.get(key)
    const own = known?.equals(piece) ? known : Buffer.from(piece)
    shared.set(key, own)
    batches.push(storedBatchOf(own, header))
    sizeBytes += piece.length
  }
  return { batches, sizeBytes }
}
