import type { Codec } from './codec'
import { gzipCodec } from './gzip'
import { lz4Codec } from './lz4'
import { snappyCodec } from './snappy'
import { zstdCodec } from './zstd'

/** The codecs that this Node has: all but zstd before Node 22.15. A map of your own may replace any of them. */
export const builtInCodecs: ReadonlyMap<number, Codec> = new Map(
  [gzipCodec, snappyCodec, lz4Codec, zstdCodec].filter((codec) => codec !== undefined).map((codec) => [codec.id, codec]),
)
