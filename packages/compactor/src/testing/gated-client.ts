import type { Worker } from './turnstile'

interface Command {
  readonly constructor: { readonly name: string }
  readonly input: Readonly<Record<string, unknown>>
}

/** Changes what a worker sends or gets, to break a step on purpose. */
export interface Tamper {
  /** The input that is sent instead. */
  input?(name: string, input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>
  /** The reply that arrives instead. */
  reply?(name: string, input: Readonly<Record<string, unknown>>, reply: unknown): Promise<unknown>
}

/**
 * A client of the AWS SDK every request of which passes a worker's turnstile. Requests that the SDK makes by itself (parts of an upload)
 * pass it as well.
 */
export function gatedClient<Client extends object>(client: Client, worker: Worker, tamper: Tamper = {}): Client {
  const send = async (command: Command, ...rest: unknown[]): Promise<unknown> => {
    const { name } = command.constructor
    const isRead = /^(?:Get|Head|List|BatchGet)/.test(name)
    const changed = tamper.input?.(name, command.input) ?? command.input
    const sent =
      changed === command.input
        ? command
        : Object.assign(Object.create(Object.getPrototypeOf(command)), command, { input: changed })
    return worker.request(name, isRead, async () => {
      const reply = await (client as { send(...args: unknown[]): Promise<unknown> }).send(sent, ...rest)
      return tamper.reply ? tamper.reply(name, command.input, reply) : reply
    })
  }
  return new Proxy(client, {
    get: (target, property) => {
      if (property === 'send') return send
      // The client belongs to the simulation.
      if (property === 'destroy') return () => {}
      return Reflect.get(target, property) as unknown
    },
  })
}
