import type { ObjectStore } from '@pipe/core'

/** Requests made through counted stores. Listings count a request for each thousand keys; retries of the SDK are not seen. */
export interface RequestCount {
  requests: number
}

/** Keys of one page of a listing. */
const pageKeys = 1000

/** The same store, with its requests counted. A body sent in parts counts as one. */
export function countRequests(store: ObjectStore, count: RequestCount): ObjectStore {
  const counted =
    <Arguments extends unknown[], Result>(call: (...args: Arguments) => Result) =>
    (...args: Arguments): Result => {
      count.requests++
      return call(...args)
    }
  return {
    location: store.location,
    uri: (key) => store.uri(key),
    async *list(options) {
      count.requests++
      let keys = 0
      for await (const object of store.list(options)) {
        if (keys > 0 && keys % pageKeys === 0) count.requests++
        keys++
        yield object
      }
    },
    head: counted(store.head.bind(store)),
    get: counted(store.get.bind(store)),
    put: counted(store.put.bind(store)),
    putIfAbsent: counted(store.putIfAbsent.bind(store)),
    putIfMatch: counted(store.putIfMatch.bind(store)),
    delete: counted(store.delete.bind(store)),
    deleteIfMatch: counted(store.deleteIfMatch.bind(store)),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}
