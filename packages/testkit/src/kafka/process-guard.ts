import { type ChildProcess, spawn } from 'node:child_process'

/** A process of its own that outlives this one only to clean up behind it. */
export interface ProcessGuard {
  /** This process is killed when ours ends. */
  watch(pid: number): void
  /** It has ended by itself. */
  forget(pid: number): void
  /** Ends the guard without cleaning up. */
  release(): Promise<void>
}

/**
 * The guard's program. Its input closes when our process ends, in whatever way (an `exit` listener would not run after SIGKILL); it then
 * kills what it watches, waits for that, and removes the folder. Signals meant for us (Ctrl-C) must not end it first.
 */
const program = `
const { rmSync } = require('node:fs')
const watched = new Set()
const alive = (pid) => { try { process.kill(pid, 0); return true } catch { return false } }
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
let rest = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (chunk) => {
  const lines = (rest + chunk).split('\\n')
  rest = lines.pop()
  for (const line of lines) {
    if (line === 'release') process.exit(0)
    const [verb, pid] = line.split(' ')
    if (verb === 'watch') watched.add(Number(pid))
    else watched.delete(Number(pid))
  }
})
process.stdin.on('end', () => {
  for (const pid of watched) { try { process.kill(pid, 'SIGKILL') } catch {} }
  const until = Date.now() + 5000
  const finish = () => {
    if ([...watched].some(alive) && Date.now() < until) return setTimeout(finish, 50)
    if (process.argv[1]) rmSync(process.argv[1], { recursive: true, force: true })
    process.exit(0)
  }
  finish()
})
`

/** Starts a guard; `folder`, when given, is removed after our process has ended without {@link ProcessGuard.release}. */
export function guardProcesses(folder: string | undefined): ProcessGuard {
  const args = ['-e', program, ...(folder === undefined ? [] : [folder])]
  // NODE_OPTIONS of a test runner (loaders, coverage) are nothing for the guard.
  const env = { ...process.env, NODE_OPTIONS: '' }
  const child: ChildProcess = spawn(process.execPath, args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env })
  child.unref()
  const input = child.stdin as NonNullable<ChildProcess['stdin']> & { unref?(): void }
  input.unref?.()
  // A guard that was killed from outside must not break the test that runs.
  input.on('error', () => {})
  return {
    watch: (pid) => void input.write(`watch ${pid}\n`),
    forget: (pid) => void input.write(`forget ${pid}\n`),
    release: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve()
        // Waited for, so it must keep this process alive until then.
        child.ref()
        child.once('exit', () => resolve())
        input.end('release\n')
      }),
  }
}
