import { defineConfig } from 'tsup'

export default defineConfig([
  {
    entry: ['src/index.ts'],
    format: ['esm', 'cjs'],
    target: 'node20',
    dts: true,
    sourcemap: true,
    clean: true,
    splitting: true,
  },
  // The command line is ESM only; its shebang is kept by tsup.
  { entry: ['src/cli.ts'], format: ['esm'], target: 'node20', clean: false },
])
