import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** A message of a worker: `kind` says what about. */
export type WorkerMessage = { readonly kind: string } & Readonly<Record<string, unknown>>

/** A process that is there to be stopped and killed. */
export interface Worker {
  /** All that it has said so far. */
  readonly messages: readonly WorkerMessage[]
  tell(message: string): void
  /** SIGSTOP. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** SIGKILL. Resolves when it is gone. May be called again. */
  kill(): Promise<void>
  /** Resolves with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

/** Starts the programs of `workers/`. */
export interface Workers {
  start(name: string, config: object, env: Readonly<Record<string, string>>): Promise<Worker>
  /** Kills what still runs. */
  close(): Promise<void>
}

/** Programs are bundled with their first use: a process must start in a fraction of a second. */
export function createWorkers(): Workers {
  const running = new Set<Worker>()
  const bundles = new Map<string, Promise<string>>()
  let folder: Promise<string> | undefined

  async function bundle(name: string): Promise<string> {
    folder ??= mkdtemp(join(tmpdir(), 'pipe-faults-'))
    const outfile = join(await folder, `${name}.mjs`)
    await build({
      entryPoints: [fileURLToPath(new URL(`workers/${name}.ts`, import.meta.url))],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['pipe-source'],
      banner: { js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url)" },
      logLevel: 'error',
    })
    return outfile
  }

  return {
    async start(name, config, env) {
      const program = bundles.get(name) ?? bundle(name)
      bundles.set(name, program)
      const child = fork(await program, [JSON.stringify(config)], {
        execArgv: [],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        env: { ...process.env, ...env },
      })
      const worker = workerOf(child)
      running.add(worker)
      void worker.ended.then(() => running.delete(worker))
      return worker
    },
    async close() {
      await Promise.all([...running].map((worker) => worker.kill()))
      if (folder) await rm(await folder, { recursive: true, force: true })
    },
  }
}

function workerOf(child: ChildProcess): Worker {
  const messages: WorkerMessage[] = []
  child.on('message', (message) => messages.push(message as WorkerMessage))
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'))
    child.once('error', (error) => resolve(error.message))
  })
  return {
    messages,
    ended,
    tell: (message) => void child.send(message),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
