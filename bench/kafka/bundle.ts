import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))

/** Builds scripts by their path from this folder, under their own names: as published, everything from the registry outside; clients in parts of their own, loaded when asked for. */
export async function bundle(outdir: string, names: readonly string[]): Promise<void> {
  await build({
    entryPoints: Object.fromEntries(names.map((name) => [basename(name), join(here, `${name}.ts`)])),
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    conditions: ['pipe-source'],
    external: [
      '@aws-sdk/*',
      '@duckdb/*',
      'citty',
      'esbuild',
      'fast-xml-parser',
      'kafkajs',
      'node-rdkafka',
      '@platformatic/kafka',
    ],
  })
}
