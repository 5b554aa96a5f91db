import type { Order } from './contracts'

/** The order of a number: always the same. */
export function orderOf(number: number): Order {
  return {
    id: `order-${String(number).padStart(5, '0')}`,
    customer: `customer-${number % 17}`,
    total: (number * 137) % 1000,
    items: [{ sku: `sku-${number % 5}`, count: 1 + (number % 3) }],
  }
}
