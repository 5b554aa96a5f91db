// npm run build: ESM, CJS and declarations of every published package. Each reads its sisters' sources, so the order is free.
import { join } from 'node:path'
import { inPairs, must, publicPackages, root, setUp } from './setup.mjs'

export async function build() {
  const names = publicPackages()
  await inPairs(names, async (name, i) => {
    await must(process.execPath, [join(root, 'node_modules/tsup/dist/cli-default.js'), '--silent'], {
      cwd: join(root, 'packages', name),
    })
    console.log(`[${i + 1}/${names.length}] @pipe/${name}`)
  })
}

if (process.argv[1] === join(root, 'scripts', 'build.mjs')) {
  await setUp()
  await build()
  console.log('build: ok')
}
