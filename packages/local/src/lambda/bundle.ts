import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError, PipeError } from '@pipe/core'
import type { BuildFailure, Plugin } from 'esbuild'
import { processConditions } from './process-conditions'

/** A function as one file. */
export interface Bundle {
  /** Absolute path of an ESM file. */
  readonly file: string
  readonly bytes: number
  /** Base64, as in CodeSha256. */
  readonly sha256: string
}

/** What is to be bundled. */
export interface BundleRequest {
  readonly name: string
  /** Absolute path of a TypeScript or JavaScript file. */
  readonly entry: string
  /** Name of the export. */
  readonly handler: string
  /** Packages that are loaded at run time instead, with their sub-paths. */
  readonly external: readonly string[]
}

/** Bundles functions; `close` removes the files it wrote. */
export interface Bundler {
  /**
   * @throws ConfigError `PIPE_LOCAL_ENTRY` when the file does not exist, `PipeError` `PIPE_LOCAL_BUNDLE` with the place of the mistake when it
   * cannot be bundled.
   */
  bundle(request: BundleRequest): Promise<Bundle>
  close(): void
}

/** Packages with compiled parts, which cannot be put into one file. */
export const nativePackages: readonly string[] = ['@duckdb/node-api', '@duckdb/node-bindings', 'aws-crt', 'sharp']

/** @param fallbackDir Where bundles of entries outside any package go. */
export function createBundler(fallbackDir: string): Bundler {
  const folders = new Set<string>()
  // One folder a process and bundler: another runtime on this machine may bundle the same function.
  const folderName = `${process.pid}-${randomBytes(4).toString('hex')}`

  return {
    async bundle({ name, entry, handler, external }) {
      const info = await stat(entry).catch(() => undefined)
      if (!info?.isFile()) {
        const hint = 'Give the path of the file that exports the handler; a relative path counts from the working directory.'
        throw new ConfigError(`The entry of function ${name} is not a file: ${entry}`, { code: 'PIPE_LOCAL_ENTRY', hint })
      }
      const cache = cacheDirOf(entry) ?? fallbackDir
      const folder = join(cache, folderName)
      if (!folders.has(folder)) {
        folders.add(folder)
        mkdirSync(folder, { recursive: true })
        removeLeftOvers(cache)
      }
      const file = join(folder, `${name}-${randomBytes(4).toString('hex')}.mjs`)
      await build({ name, entry, handler, external }, file)
      const code = await readFile(file)
      return { file, bytes: code.length, sha256: createHash('sha256').update(code).digest('base64') }
    },
    close() {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true })
      folders.clear()
    },
  }
}

async function build({ name, entry, handler, external }: BundleRequest, outfile: string): Promise<void> {
  // Loaded late: esbuild costs start-up time, and a runtime without functions never needs it.
  const { build: esbuild } = await import('esbuild')
  const loader = [
    `import { startInstance } from ${JSON.stringify(instanceRuntimeFile())}`,
    `import { ${handler} as handler } from ${JSON.stringify(entry)}`,
    `startInstance(handler, ${JSON.stringify(handler)})`,
  ].join('\n')
  try {
    await esbuild({
      stdin: { contents: loader, resolveDir: dirname(entry), sourcefile: `${name}.loader.js`, loader: 'js' },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      conditions: [...processConditions(), 'module'],
      mainFields: ['module', 'main'],
      sourcemap: true,
      sourcesContent: false,
      logLevel: 'silent',
      // CommonJS packages inside an ESM bundle find node's own modules by it.
      banner: { js: requireBanner },
      plugins: [externalPackages([...nativePackages, ...external], outfile)],
    })
  } catch (error) {
    throw bundleError(name, entry, error)
  }
}

const requireBanner =
  "import { createRequire as pipeCreateRequire } from 'node:module'; globalThis.require ??= pipeCreateRequire(import.meta.url);"

/** Leaves packages out of the bundle; where the bundle lies, node may not find them, so they are then named by their absolute path. */
function externalPackages(names: readonly string[], outfile: string): Plugin {
  const escaped = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const filter = new RegExp(`^(?:${escaped.join('|')})(?:/.*)?$|\\.node$`)
  return {
    name: 'external-packages',
    setup(build) {
      build.onResolve({ filter }, ({ path, importer, resolveDir }) => {
        if (isReachable(outfile, path)) return { path, external: true }
        const found = resolvedBy(createRequire(importer || join(resolveDir, 'index.js')), path)
        // Not installed: left as it is, so that an optional package fails only when it is imported.
        return { path: found ?? path, external: true }
      })
    },
  }
}

/** Whether node finds a package from a file by its folders: `require.resolve` also looks into NODE_PATH, which `import` does not. */
function isReachable(file: string, path: string): boolean {
  if (path.startsWith('.') || isAbsolute(path)) return false
  const name = path.split('/').slice(0, path.startsWith('@') ? 2 : 1)
  for (let dir = dirname(file); ; dir = dirname(dir)) {
    if (existsSync(join(dir, 'node_modules', ...name))) return true
    if (dir === dirname(dir)) return false
  }
}

function resolvedBy(require: NodeJS.Require, path: string): string | undefined {
  try {
    return require.resolve(path)
  } catch {
    // require.resolve has no other way to say no.
    return undefined
  }
}

function bundleError(name: string, entry: string, error: unknown): PipeError {
  const failures = (error as Partial<BuildFailure>).errors ?? []
  const lines = failures.map(({ text, location, notes }) => {
    const place = location ? `${location.file}:${location.line}:${location.column + 1}: ` : ''
    return `  ${place}${text}${notes.map((note) => `\n    ${note.text}`).join('')}`
  })
  const text = lines.length > 0 ? lines.join('\n') : `  ${error instanceof Error ? error.message : String(error)}`
  return new PipeError('PIPE_LOCAL_BUNDLE', `Function ${name} cannot be bundled from ${entry}:\n${text}`, {
    cause: error,
    details: { function: name, entry },
  })
}

/** The file beside this one, in the sources or in the build. */
function instanceRuntimeFile(): string {
  const source = fileURLToPath(new URL('./instance-runtime.ts', import.meta.url))
  return existsSync(source) ? source : fileURLToPath(new URL('./instance-runtime.js', import.meta.url))
}

/** `node_modules/.cache/pipe-local` of the package that an entry belongs to: node finds that package's dependencies from there. */
function cacheDirOf(entry: string): string | undefined {
  for (let dir = dirname(resolve(entry)); ; dir = dirname(dir)) {
    if (existsSync(join(dir, 'package.json')) && existsSync(join(dir, 'node_modules'))) {
      return join(dir, 'node_modules', '.cache', 'pipe-local')
    }
    if (dir === dirname(dir) || basename(dir) === 'node_modules') return undefined
  }
}

/** Removes the folders of processes that were killed before they could tidy up. */
function removeLeftOvers(cache: string): void {
  for (const folder of readdirSync(cache)) {
    const pid = Number(/^(\d+)-[0-9a-f]{8}$/.exec(folder)?.[1])
    if (pid && !isAlive(pid)) rmSync(join(cache, folder), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, but belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
