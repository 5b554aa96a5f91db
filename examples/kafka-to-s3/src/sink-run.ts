import { fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { PipeError } from '@pipe/core'

/** What a worker is given. */
export interface WorkerSettings {
  readonly brokers: readonly string[]
  readonly target: string
  readonly env: Readonly<Record<string, string>>
  /** It dies between the upload of so many files and taking note of the last one. Default: it lives. */
  readonly killAfterUploads?: number
  /** It is told to finish when it has read so many records. */
  readonly until: number
}

/** Runs a worker in a process of its own. @returns how it ended: `SIGKILL`, or its exit code. */
export async function runWorker(settings: WorkerSettings): Promise<string> {
  const { brokers, target, env, killAfterUploads = 0, until } = settings
  const worker = fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), {
    execArgv: ['--import', createRequire(import.meta.url).resolve('tsx'), '--conditions=pipe-source'],
    env: { ...process.env, ...env, BROKERS: brokers.join(','), TARGET: target, KILL_AFTER_UPLOADS: String(killAfterUploads) },
  })
  worker.on('message', (message) => {
    if ((message as { readonly read: number }).read >= until && worker.connected) worker.send('finish')
  })
  // Only against a worker that hangs: a loaded machine may take minutes.
  const tooLong = setTimeout(() => worker.kill('SIGTERM'), 600_000)
  const end = await new Promise<string>((resolve) => worker.once('exit', (code, signal) => resolve(signal ?? String(code))))
  clearTimeout(tooLong)
  if (end === 'SIGTERM') throw new PipeError('EXAMPLE_WORKER_STUCK', 'The worker had not read everything after ten minutes.')
  return end
}
