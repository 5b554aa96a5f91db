/** A handler that does what its event says. */
import { createRequire } from 'node:module'
import { format } from 'node:util'

console.log('loading')
let calls = 0
const kept: unknown[] = []

interface Event {
  readonly do: string
  readonly value?: unknown
  readonly ms?: number
}
interface Context {
  readonly awsRequestId: string
  getRemainingTimeInMillis(): number
}

class OrderError extends Error {
  override name = 'OrderError'
}

export const handler = async (event: Event, context: Context): Promise<unknown> => {
  calls++
  switch (event.do) {
    case 'echo':
      return event.value
    case 'count':
      return calls
    case 'env':
      return process.env
    case 'context': {
      const remaining = context.getRemainingTimeInMillis()
      return { ...context, remaining, offset: new Date().getTimezoneOffset(), pid: process.pid, cwd: process.cwd() }
    }
    case 'log':
      console.log('hello %s', 'world', { a: 1 })
      console.error(new Error('printed').message)
      process.stdout.write('raw line\n')
      process.stderr.write(Buffer.from('raw bytes\n'))
      return null
    case 'throw':
      throw new OrderError('the order is gone')
    case 'throw-text':
      throw 'just a text'
    case 'reject-later':
      void Promise.reject(new OrderError('nobody awaits me'))
      return new Promise(() => {})
    case 'throw-later':
      setTimeout(() => {
        throw new OrderError('from a timer')
      }, 1)
      return new Promise(() => {})
    case 'exit':
      return process.exit(event.value as number)
    case 'kill':
      process.kill(process.pid, 'SIGSEGV')
      return new Promise(() => {})
    case 'spin':
      for (;;) calls++
    case 'hang':
      return new Promise(() => {})
    case 'sleep':
      await new Promise((resolve) => setTimeout(resolve, event.ms))
      return process.pid
    case 'array':
      for (;;) kept.push({ n: kept.length })
    case 'map': {
      // In a worker thread this ends the whole process, not only the thread.
      const map = new Map<number, number>()
      for (let n = 0; ; n++) map.set(n, n)
    }
    case 'buffers':
      kept.push(Buffer.alloc(64 * 1024 * 1024, 1))
      return kept.length
    case 'circular': {
      const circle: { self?: unknown } = {}
      circle.self = circle
      return circle
    }
    case 'big':
      return 'x'.repeat(7_000_000)
    case 'undefined':
      return undefined
    case 'require':
      return typeof createRequire(import.meta.url)('node:os').cpus
    default:
      throw new Error(format('unknown %j', event))
  }
}

export const plain = (): string => 'not a promise'
export const withCallback = (event: Event, _context: unknown, callback: (error: unknown, value?: unknown) => void): void => {
  setTimeout(() => (event.do === 'fail' ? callback(new OrderError('by callback')) : callback(null, event.value)), 5)
}
export const notAFunction = 42
