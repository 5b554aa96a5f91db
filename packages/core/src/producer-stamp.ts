/**
 * What a producer writes into the metadata of each raw object, so that a compactor knows how many rows it must account for without
 * a second scan. Rows are lines as produced: malformed ones and those behind a cut count too.
 */
export interface ProducerStamp {
  readonly rows: number
  /** Bytes before compression. */
  readonly rawBytes: number
  /** SHA-256 of these bytes, hexadecimal. */
  readonly sha256: string
}

/** Object metadata of a stamp. */
export function stampMetadata(stamp: ProducerStamp): Record<string, string> {
  return { 'pipe-rows': String(stamp.rows), 'pipe-raw-bytes': String(stamp.rawBytes), 'pipe-sha256': stamp.sha256 }
}

/** The stamp in the metadata of an object; `undefined` when there is none or it is not a stamp. */
export function stampOf(metadata: Readonly<Record<string, string>>): ProducerStamp | undefined {
  const rows = Number(metadata['pipe-rows'])
  const rawBytes = Number(metadata['pipe-raw-bytes'])
  const sha256 = metadata['pipe-sha256']
  const counts = Number.isSafeInteger(rows) && rows >= 0 && Number.isSafeInteger(rawBytes) && rawBytes >= 0
  return metadata['pipe-rows'] && metadata['pipe-raw-bytes'] && counts && sha256 ? { rows, rawBytes, sha256 } : undefined
}
