/** How the records of a batch are packed: the number in the batch's attributes. */
export type CompressionId = 0 | 1 | 2 | 3 | 4

/** Names of the compressions. */
export type CompressionName = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** Names by number. */
export const compressionNames: readonly CompressionName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** Packs and unpacks the records of a batch. */
export interface Codec {
  readonly id: CompressionId
  readonly name: CompressionName
  compress(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
  /**
   * Unpacks, at most `maxBytes`.
   *
   * @throws {@link WireError} when the bytes are damaged, or unpack to more.
   */
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array
}
