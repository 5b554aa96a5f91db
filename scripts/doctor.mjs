// npm run doctor: what this machine has, and what will therefore be skipped. Needs nothing but Node; asks nobody for anything but `aws`, when it is installed.
// Exits with 1 when something is missing that everything needs.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { cpus, freemem } from 'node:os'
import { join } from 'node:path'
import { root } from './setup.mjs'

/** The first line that matches, of what a command prints; undefined when there is no such command, or it fails. */
function asked(command, args, pattern) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 30_000 })
  return error || status !== 0 ? undefined : pattern.exec(`${stdout}\n${stderr}`)?.[0]
}

/** Whether a port of 127.0.0.1 can be taken. */
function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

let missing = 0
/** One line of the report: what is there, or what its absence costs. */
function tell(name, found, otherwise, needed = false) {
  const mark = found ? 'ok  ' : needed ? 'MISSING' : 'absent'
  console.log(`${mark.padEnd(8)}${name.padEnd(16)}${found || otherwise}`)
  if (!found && needed) missing++
}

function nodeVersion() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return (major > 20 || (major === 20 && minor >= 19)) && process.versions.node
}

/** The major version of `java -version`: "17.0.9", in old days "1.8.0". */
function javaVersion() {
  const version = /"(?:1\.)?(\d+)[^"]*"/.exec(asked('java', ['-version'], /.*version.*/) ?? '')?.[1]
  return version && Number(version) >= 17 ? version : undefined
}

function awsIdentity() {
  if (process.env.AWS_ENDPOINT_URL) return `not asked: AWS_ENDPOINT_URL points at ${new URL(process.env.AWS_ENDPOINT_URL).host}`
  return asked('aws', ['sts', 'get-caller-identity', '--query', 'Arn', '--output', 'text'], /^arn:.*$/m)
}

tell('Node', nodeVersion(), `${process.versions.node}: 20.19 or newer is needed`, true)
tell('npm', asked('npm', ['--version'], /\d+\.\d+\.\d+/), 'nothing can be installed', true)
tell('installed', existsSync(join(root, 'node_modules', '.pipe-setup')) && 'yes', 'no: npm start and npm test do it first')
const free = Math.round(freemem() / 2 ** 20)
tell(
  'machine',
  free >= 2048 && `${cpus().length} cores, ${free} MiB free`,
  `${free} MiB free: the whole npm test wants about 2 GiB`,
)
tell('loopback port', (await isFree(0)) && 'free ports can be taken', 'no port of 127.0.0.1 can be taken', true)
tell('port 4566', (await isFree(4566)) && 'free', 'taken: npx @pipe/local needs another --port')
const java = javaVersion()
tell(
  'Java',
  java,
  'older than 17, or absent: tests on real Kafka brokers are skipped, also npm run faults; the embedded brokers need none',
)
tell(
  'Maven',
  asked('mvn', ['--version'], /Apache Maven [\d.]+/),
  'tests on real Kafka brokers are skipped where their jars are not there yet',
)
const chromium = asked(process.env.CHROMIUM ?? 'chromium', ['--version'], /Chrom\S+ [\d.]+/)
tell('Chromium', chromium, 'the test of out/report.html is skipped, npm run docs -- --browser is not possible')
const data = process.env.PIPE_SHARED_DATA ?? join(root, '..', 'shared', 'data')
tell('recorded data', existsSync(data) && 'found', 'tests on recorded series and logs are skipped (PIPE_SHARED_DATA)')
tell('AWS identity', awsIdentity(), 'none found by the aws command: nothing here needs one')
console.log(missing === 0 ? '\ndoctor: ok' : `\ndoctor: ${missing} missing`)
process.exitCode = missing === 0 ? 0 : 1
