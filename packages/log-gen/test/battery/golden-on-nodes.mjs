// node packages/log-gen/test/battery/golden-on-nodes.mjs: the golden digests on Node 20, 22 and 24, fetched from the npm package "node".
// Exit code 1 when any differs; 0 with the reason when they cannot be fetched.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
const expected = readFileSync(join(here, '..', 'golden.json'), 'utf8').trim()
const dir = mkdtempSync(join(tmpdir(), 'pipe-golden-'))
try {
  const script = join(dir, 'golden.mjs')
  await build({
    entryPoints: [join(here, 'golden-digests.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['pipe-source'],
    external: ['@aws-sdk/*'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
  })
  let wrong = 0
  for (const major of ['20', '22', '24']) {
    const prefix = join(dir, major)
    const fetched = spawnSync('npm', ['install', '--prefix', prefix, '--no-audit', '--no-fund', `node@${major}`], {
      encoding: 'utf8',
    })
    const binary = join(prefix, 'node_modules', 'node', 'bin', 'node')
    if (fetched.status !== 0) {
      console.log(`Node ${major}: skipped, it cannot be fetched (${fetched.stderr.trim().split('\n')[0]})`)
      continue
    }
    const { status, stdout, stderr } = spawnSync(binary, [script], { encoding: 'utf8' })
    const version = spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout.trim()
    const isEqual = status === 0 && stdout.trim() === expected
    console.log(`Node ${version}: ${isEqual ? 'equal' : `DIFFERENT\n${stdout}${stderr}`}`)
    if (!isEqual) wrong++
  }
  process.exitCode = wrong > 0 ? 1 : 0
} finally {
  rmSync(dir, { recursive: true, force: true })
}
