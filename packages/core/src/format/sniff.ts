import type { ByteReader } from '../byte-reader'
import { packingOf } from './compression'

/** Format of a data file. */
export type FileFormat = 'ndjson' | 'csv' | 'tsv' | 'parquet'

const endings: Readonly<Record<string, FileFormat>> = {
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'ndjson',
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  parquet: 'parquet',
}

/** What the name of a file promises. */
export interface NamedFormat {
  readonly format: FileFormat | undefined
  readonly isGzip: boolean
}

/** What the name of a file promises: `a.ndjson.gz` → NDJSON, gzip. Case does not matter. */
export function formatOfName(name: string): NamedFormat {
  const parts = name
    .slice(name.lastIndexOf('/') + 1)
    .toLowerCase()
    .split('.')
  const isGzip = parts.length > 1 && (parts.at(-1) === 'gz' || parts.at(-1) === 'gzip')
  if (isGzip) parts.pop()
  const ending = parts.length > 1 ? parts.at(-1)! : ''
  return { format: Object.hasOwn(endings, ending) ? endings[ending] : undefined, isGzip }
}

/** Whether the bytes begin a Parquet file. */
export function isParquet(start: Uint8Array): boolean {
  return start[0] === 0x50 && start[1] === 0x41 && start[2] === 0x52 && start[3] === 0x31
}

/** Whether the bytes begin an ORC file. */
export function isOrc(start: Uint8Array): boolean {
  return start[0] === 0x4f && start[1] === 0x52 && start[2] === 0x43 && (start[3] ?? 0) < 0x20
}

/** The text format that a first line looks like: an object is NDJSON, a tab makes TSV, everything else CSV. */
export function formatOfText(start: string): FileFormat {
  const text = start.replace(/^\uFEFF/, '').trimStart()
  if (text.startsWith('{')) return 'ndjson'
  const end = text.indexOf('\n')
  return (end < 0 ? text : text.slice(0, end)).includes('\t') ? 'tsv' : 'csv'
}

/**
 * Why the bytes are not what the name promises, a clause; `undefined` when they may be. Athena decompresses by name: a gzip named
 * `.json` is text to it. (Plain text named `.gz` fails there, but can be read here without any guess, so it is.)
 */
export async function mislabelled(input: ByteReader, file: string): Promise<string | undefined> {
  await input.fill(10)
  const start = input.peek()
  const packing = packingOf(start)
  if (packing === 'gzip' && !formatOfName(file).isGzip) return 'the bytes are gzip, but the name of the file does not end in .gz'
  if (packing === 'zstd' || packing === 'bzip2') return `the bytes are ${packing}, which is not supported`
  if (isParquet(start)) return 'the bytes are Parquet, but the file is read as text'
  return undefined
}
