import { existsSync, readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

// Sister packages are read from their sources, so tests need no build (condition "pipe-source" of every package.json).
const conditions = ['pipe-source', 'node', 'import', 'module', 'default']
const folders = ['packages', 'examples'].flatMap((parent) => readdirSync(parent).map((name) => `${parent}/${name}`))

export default defineConfig({
  test: {
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/cli.ts'],
      reporter: ['text-summary', 'json-summary'],
    },
    projects: folders
      .filter((folder) => existsSync(`${folder}/test`))
      .map((folder) => ({
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: {
          name: folder.split('/')[1] as string,
          root: folder,
          include: ['test/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Child threads (the Lambda host) bundle sister packages from source too.
          execArgv: ['--conditions=pipe-source'],
        },
      })),
  },
})
