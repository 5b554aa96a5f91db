// Biome lints everything else; this is the one rule it does not have in stable form: a promise that nobody waits for.
import { parser, plugin } from 'typescript-eslint'

export default [
  { ignores: ['**/dist/', '**/node_modules/', '**/*.test-d.ts', '**/tsup.config.ts'] },
  {
    files: ['**/*.ts'],
    languageOptions: { parser, parserOptions: { project: './tsconfig.json' } },
    linterOptions: { reportUnusedDisableDirectives: 'off' },
    plugins: { '@typescript-eslint': plugin },
    rules: { '@typescript-eslint/no-floating-promises': 'error' },
  },
]
