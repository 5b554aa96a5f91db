// Installs the workspace when it is missing or older than the lock file. Needs only Node and npm: pnpm comes through npx.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
export const pnpmVersion = '10.34.9'

// The AWS SDK warns on Node 20 about releases from 2027 on; the lock file pins an earlier one.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'

/** Runs a command in the repository; resolves to its exit code. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options })
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? (signal ? 1 : 0)))
  })
}

/** Runs a command and exits with its code when it fails. */
export async function must(command, args, options) {
  const code = await run(command, args, options)
  if (code !== 0) process.exit(code)
}

/** Does two things at a time: what CI's machine has cores for. */
export async function inPairs(items, work) {
  const rest = [...items.entries()]
  const worker = async () => {
    for (let next = rest.shift(); next; next = rest.shift()) await work(next[1], next[0])
  }
  await Promise.all([worker(), worker()])
}

/** Runs pnpm, whichever tools the machine has. */
export function pnpm(args, options) {
  return run('npx', ['--yes', `pnpm@${pnpmVersion}`, ...args], options)
}

/** Runs a TypeScript file from the sources of the workspace. */
export function runTypeScript(file, args, options) {
  return run(process.execPath, ['--import', 'tsx', '--conditions=pipe-source', file, ...args], options)
}

/** Names of the folders below packages/ whose package is published. */
export function publicPackages() {
  return readdirSync(join(root, 'packages')).filter((name) => {
    const manifest = join(root, 'packages', name, 'package.json')
    return existsSync(manifest) && !JSON.parse(readFileSync(manifest, 'utf8')).private
  })
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Node ${process.versions.node} is too old: @pipe needs Node 20.19 or newer.`)
    process.exit(1)
  }
}

/** What the installation depends on: the lock file and every manifest. */
function fingerprint() {
  const hash = createHash('sha256')
    .update(process.versions.modules)
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
  const manifests = ['packages', 'examples'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(root, parent, name, 'package.json')),
  )
  for (const manifest of [join(root, 'package.json'), ...manifests]) if (existsSync(manifest)) hash.update(readFileSync(manifest))
  return hash.digest('hex')
}

/** Makes the workspace ready. A second call takes milliseconds. */
export async function setUp() {
  checkNode()
  const stamp = join(root, 'node_modules', '.pipe-setup')
  const wanted = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log(`Setting up: installing dependencies with pnpm ${pnpmVersion} …`)
  const started = Date.now()
  const code = await pnpm(['install', '--frozen-lockfile', '--reporter=append-only'], { env: { ...process.env, CI: 'true' } })
  if (code !== 0) {
    console.error('The installation failed (see above). It needs access to an npm registry.')
    process.exit(code)
  }
  writeFileSync(stamp, wanted)
  console.log(`Set up in ${((Date.now() - started) / 1000).toFixed(1)} s.\n`)
}
