// npm run lint | typecheck | structure: one check each.
import { must, setUp } from './setup.mjs'

const checks = {
  lint: [
    ['node_modules/@biomejs/biome/bin/biome', 'ci', '--colors=off', '.'],
    [
      'node_modules/eslint/bin/eslint.js',
      '--max-warnings=0',
      'packages',
      'examples',
      'bench',
      'faults',
      'fuzz',
      'infrastructure',
      'live',
    ],
  ],
  typecheck: [
    ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'],
    ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.src.json'],
    ['scripts/readme-examples.mjs'],
  ],
  structure: [
    [
      'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
      '--config',
      '.dependency-cruiser.cjs',
      'packages',
      'examples',
      'bench',
      'faults',
      'fuzz',
      'infrastructure',
      'live',
    ],
  ],
}

const commands = checks[process.argv[2]]
if (!commands) {
  console.error(`Unknown check "${process.argv[2]}": one of ${Object.keys(checks).join(', ')}.`)
  process.exit(2)
}
await setUp()
for (const command of commands) await must(process.execPath, command)
console.log(`${process.argv[2]}: ok`)
