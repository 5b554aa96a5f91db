import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Round } from '../result'

const env = { ...process.env, NODE_NO_WARNINGS: '1' }

/** Runs a script in a process of its own; it prints what it measured as JSON. */
export async function runScript<Report = Round>(script: string, args: readonly string[]): Promise<Report> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk
  })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`${script} ${args[0]} ended with code ${code}`)
  return JSON.parse(text) as Report
}

/** A process that answers messages. */
export interface Answering<First> {
  readonly first: First
  ask<Answer>(question: string): Promise<Answer>
  stop(): void
}

/** Starts a script that sends a first message when it is ready, and one more for each message it gets. */
export async function startScript<First>(script: string, args: readonly string[]): Promise<Answering<First>> {
  const child: ChildProcess = fork(script, args, { execArgv: [], env })
  // One listener for all questions: one each would pile up, and an end between two questions would go unseen.
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${script} ended with code ${code}`)
  })
  // Thrown where an answer is awaited; after `stop` nobody waits.
  ended.catch(() => {})
  const next = async <Message>(): Promise<Message> => {
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [Message]
    return message
  }
  const first = await next<First>()
  return {
    first,
    ask<Answer>(question: string) {
      child.send(question)
      return next<Answer>()
    },
    stop: () => child.disconnect(),
  }
}
