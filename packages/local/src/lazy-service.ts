import type { Service, ServiceCall } from './service'

/** A service that is made by its first request; a failed start is tried again by the next one. */
export function lazyService(name: string, matches: (call: ServiceCall) => boolean, open: () => Promise<Service>): Service {
  let opened: Promise<Service> | undefined
  return {
    name,
    matches,
    async handle(call) {
      opened ??= open().catch((error: unknown) => {
        opened = undefined
        throw error
      })
      await (await opened).handle(call)
    },
    async close() {
      await (await opened)?.close?.()
      opened = undefined
    },
  }
}
