import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const manifest = join(dirname(fileURLToPath(import.meta.url)), 'peers', 'package.json')
const installTimeoutMs = 1_800_000

/** Other clients, or why they are not here. */
export type Peers =
  | {
      readonly isInstalled: true
      /** Scripts that are to find the peers stand here. */
      readonly folder: string
      /** The Node that runs @platformatic/kafka. */
      readonly node22: string
    }
  | { readonly isInstalled: false; readonly reason: string }

/**
 * Installs the peers into a folder that no workspace knows, once: one of them compiles for over a minute. Does not throw; that they cannot
 * be had here is a fact to report.
 */
export async function installPeers(folder: string, log: (line: string) => void): Promise<Peers> {
  const wanted = readFileSync(manifest, 'utf8')
  const done = join(folder, 'installed.json')
  const peers: Peers = { isInstalled: true, folder, node22: join(folder, 'node_modules', 'node', 'bin', 'node') }
  if (existsSync(done) && readFileSync(done, 'utf8') === wanted) return peers
  mkdirSync(folder, { recursive: true })
  copyFileSync(manifest, join(folder, 'package.json'))
  log('installing node-rdkafka, @platformatic/kafka and node@22 (once; compiles for over a minute)')
  const failure = await npmInstall(folder)
  if (failure !== undefined) return { isInstalled: false, reason: failure }
  writeFileSync(done, wanted)
  return peers
}

async function npmInstall(cwd: string): Promise<string | undefined> {
  const child = spawn('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
    // One compiler at a time: several need more memory than small machines have.
    env: { ...process.env, JOBS: '1' },
    timeout: installTimeoutMs,
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors = (errors + chunk).slice(-1000)
  })
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return code === 0 ? undefined : `npm install ended with ${code ?? 'a time-out'}: ${errors.trim().split('\n').at(-1) ?? ''}`
  } catch (error) {
    return `npm cannot be started: ${(error as Error).message}`
  }
}
