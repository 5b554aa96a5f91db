import { ConfigError } from '@pipe/core'
import { builtInCodecs, type Codec } from '@pipe/kafka-wire'

/** How the records of a batch are packed. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/**
 * The codec of a compression; `undefined` for `'none'`.
 *
 * @throws {@link ConfigError} `PIPE_KAFKA_CODEC` for zstd on a Node before 22.15, or an unknown name.
 */
export function codecOf(where: string, compression: Compression): Codec | undefined {
  if (compression === 'none') return undefined
  for (const codec of builtInCodecs.values()) if (codec.name === compression) return codec
  throw new ConfigError(`${where}: there is no codec for ${JSON.stringify(compression)}.`, {
    code: 'PIPE_KAFKA_CODEC',
    hint: compression === 'zstd' ? 'zstd needs Node 22.15 or later.' : "Choose 'none', 'gzip', 'snappy', 'lz4' or 'zstd'.",
  })
}
