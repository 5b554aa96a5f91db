import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const manifests = join(dirname(fileURLToPath(import.meta.url)), 'peers')
const installTimeoutMs = 1_800_000

/** Another client, or why it is not here. */
export type Peer =
  | {
      readonly isInstalled: true
      /** Name and version. */
      readonly title: string
      /** Scripts that are to find it stand here. */
      readonly folder: string
      /** The Node that runs it. */
      readonly node: string
    }
  | { readonly isInstalled: false; readonly reason: string }

/** The clients that are measured beside ours on real brokers. */
export type Peers = Readonly<Record<'rdkafka' | 'platformatic', Peer>>

/**
 * Installs the peers into folders that no workspace knows, once. Does not throw; that one cannot be had here is a fact to report.
 *
 * @param folder below it each has its own.
 */
export async function installPeers(folder: string, log: (line: string) => void): Promise<Peers> {
  const rdkafka = await installPeer('rdkafka', join(folder, 'rdkafka'), log)
  const platformatic = await installPeer('platformatic', join(folder, 'platformatic'), log)
  return { rdkafka, platformatic }
}

async function installPeer(name: keyof Peers, folder: string, log: (line: string) => void): Promise<Peer> {
  const manifest = join(manifests, name, 'package.json')
  const wanted = readFileSync(manifest, 'utf8')
  const done = join(folder, 'installed.json')
  if (!existsSync(done) || readFileSync(done, 'utf8') !== wanted) {
    mkdirSync(folder, { recursive: true })
    copyFileSync(manifest, join(folder, 'package.json'))
    log(`installing ${name} (once; node-rdkafka compiles for over a minute)`)
    const failure = await npmInstall(folder)
    if (failure !== undefined) return { isInstalled: false, reason: failure }
    writeFileSync(done, wanted)
  }
  const ownNode = join(folder, 'node_modules', 'node', 'bin', 'node')
  return { isInstalled: true, title: titleOf(wanted), folder, node: existsSync(ownNode) ? ownNode : process.execPath }
}

/** What a manifest is for: its first dependency. */
function titleOf(manifest: string): string {
  const [name, version] = Object.entries((JSON.parse(manifest) as { dependencies: Record<string, string> }).dependencies)[0]!
  return `${name} ${version}`
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
    if (code === 0) return undefined
    const said = errors.split('\n').filter((line) => line !== '' && !line.includes('A complete log'))
    return `npm install ended with ${code ?? 'a time-out'}: ${said.at(-1) ?? ''}`
  } catch (error) {
    return `npm cannot be started: ${(error as Error).message}`
  }
}
