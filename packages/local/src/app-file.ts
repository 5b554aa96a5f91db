import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError, PipeError } from '@pipe/core'
import { type App, defineApp } from './app'
import { processConditions } from './lambda/process-conditions'

/**
 * Loads a `pipe.config.ts` (or `.js`): bundled, so that TypeScript and relative imports work. `@pipe/local` inside it is this very module.
 *
 * @returns the checked app and the folder that its paths count from.
 * @throws ConfigError `PIPE_LOCAL_APP_FILE` when the file does not exist, cannot be bundled, throws, or has no default export that is an app.
 */
export async function loadApp(file: string): Promise<{ readonly app: App; readonly from: string }> {
  const path = resolve(file)
  const fail = (problem: string, cause?: unknown): never => {
    const hint = 'Its default export is defineApp({ buckets, functions, rules, kafka }).'
    throw new ConfigError(`${path} ${problem}`, { code: 'PIPE_LOCAL_APP_FILE', hint, cause })
  }
  if (!(await stat(path).catch(() => undefined))?.isFile()) fail('is not a file.')
  const { build } = await import('esbuild')
  const folder = await mkdtemp(join(tmpdir(), 'pipe-app-'))
  try {
    const outfile = join(folder, `${basename(path).replace(/\.[^.]*$/, '')}.mjs`)
    await build({
      entryPoints: [path],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      conditions: [...processConditions(), 'module'],
      sourcemap: 'inline',
      logLevel: 'silent',
      plugins: [
        {
          name: 'this-module',
          setup({ onResolve, onLoad }) {
            // A second copy of this package would only cost time; all that a configuration needs of it is defineApp.
            onResolve({ filter: /^@pipe\/local$/ }, () => ({ path: 'app', namespace: 'pipe-local' }))
            onLoad({ filter: /.*/, namespace: 'pipe-local' }, () => ({ contents: 'export const defineApp = (app) => app' }))
          },
        },
      ],
    }).catch((error: { message?: string }) => fail(`cannot be bundled: ${error.message}.`, error))
    const loaded = (await import(pathToFileURL(outfile).href).catch((error: Error) =>
      fail(`throws: ${error.message}.`, error),
    )) as {
      readonly default?: unknown
    }
    if (typeof loaded.default !== 'object' || loaded.default === null) fail('has no default export.')
    return { app: defineApp(loaded.default as App), from: dirname(path) }
  } catch (error) {
    throw PipeError.isInstance(error) ? error : fail(`cannot be loaded: ${(error as Error).message}.`, error)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
