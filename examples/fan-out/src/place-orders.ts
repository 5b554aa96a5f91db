import { readEnv } from '@pipe/core'
import { createBus } from '@pipe/events'
import { orderPlaced } from './contracts'
import { orderOf } from './order-of'

const { BUS } = readEnv(['BUS'])
const bus = createBus({ name: BUS })

/** Publishes the orders of some numbers: what a shop does all day. */
export const handler = async ({ from, count }: { readonly from: number; readonly count: number }): Promise<unknown> =>
  bus.publishMany(
    orderPlaced,
    Array.from({ length: count }, (_, i) => orderOf(from + i)),
  )
