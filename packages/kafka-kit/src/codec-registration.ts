import { builtInCodecs, type Codec, defaultMaxUnpackedBytes } from '@pipe/kafka-wire'
import kafkajs from 'kafkajs'

/** A codec as kafkajs takes it. */
interface KafkajsCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(bytes: Buffer): Promise<Buffer>
}

function adapt(codec: Codec): () => KafkajsCodec {
  return () => ({
    compress: async ({ buffer }) => asBuffer(await codec.compress(buffer)),
    decompress: async (bytes) => asBuffer(codec.decompress(bytes, defaultMaxUnpackedBytes)),
  })
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Ours, to tell them from those that the application registered. */
const ours = new WeakSet<object>()

/**
 * Gives kafkajs the codecs that it lacks (snappy, lz4, and zstd where Node has it), and a gzip whose output is bounded: its own unpacks
 * whatever it is sent. A codec that the application has registered itself stays.
 */
export function registerCodecs(): void {
  const registry = kafkajs.CompressionCodecs as unknown as Record<number, unknown>
  for (const codec of builtInCodecs.values()) {
    const known = registry[codec.id]
    if (typeof known === 'function' && (ours.has(known) || !isBuiltIn(codec.name, known as () => unknown))) continue
    const adapted = adapt(codec)
    ours.add(adapted)
    registry[codec.id] = adapted
  }
}

/** Those of kafkajs itself: gzip is loaded from its own file, the others only throw that they are not implemented. */
function isBuiltIn(name: string, known: () => unknown): boolean {
  const source = Function.prototype.toString.call(known)
  return name === 'gzip' ? source.includes("require('./gzip')") : source.includes('not implemented')
}
