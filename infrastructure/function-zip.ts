import { build } from 'esbuild'
import { zipSync } from 'fflate'

/** The packages of the AWS SDK, and what only it needs. */
const sdk = ['@aws-sdk/*', '@smithy/*', '@aws-crypto/*', '@aws/*']

/** A function as Lambda takes it. */
export interface FunctionZip {
  /** `index.mjs` alone, with the AWS SDK inside; the same bytes for the same sources. */
  readonly zip: Uint8Array
  /** How many bytes of a zip are not the AWS SDK: the size of a zip without it. */
  readonly ownBytes: number
}

/**
 * Bundles a handler file as an ES module, minified.
 *
 * @throws Error of esbuild for what cannot be built.
 */
export async function bundle(entry: string): Promise<FunctionZip> {
  const [whole, own] = await Promise.all([minified(entry, []), minified(entry, sdk)])
  return { zip: zipped(whole), ownBytes: zipped(own).length }
}

async function minified(entry: string, external: readonly string[]): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    mainFields: ['module', 'main'],
    conditions: ['pipe-source'],
    // Native code, and what a function does without: optional peers that are loaded when they are used.
    external: [...external, '@duckdb/*', 'aws-msk-iam-sasl-signer-js'],
    // Some packages inside are CommonJS.
    banner: { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);" },
    logLevel: 'silent',
  })
  return outputFiles[0]!.contents
}

/** The time in a zip is local and has no zone: the earliest one that it can hold, wherever it is made. */
function zipped(code: Uint8Array): Uint8Array {
  return zipSync({ 'index.mjs': [code, { level: 9, mtime: new Date(1980, 0, 1) }] })
}
