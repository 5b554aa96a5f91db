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
    // import.meta.url in the CommonJS build, for finding the file below.
    shims: true,
    noExternal: ['@pipe/kafka-wire'],
  },
  // The command line is ESM only; its shebang is kept by tsup. The other is bundled into every function.
  {
    entry: { cli: 'src/cli.ts', 'instance-runtime': 'src/lambda/instance-runtime.ts' },
    format: ['esm'],
    noExternal: ['@pipe/kafka-wire'],
    target: 'node20',
    clean: false,
  },
])
