import { type ShapeOf, shape } from '@pipe/events'

/** Who gets a mail: one message of the queue. */
export const user = shape.object({ id: shape.text(), name: shape.text(), email: shape.text() })
export type User = ShapeOf<typeof user>

/** The user of a number: always the same. */
export function userOf(number: number): User {
  return { id: `user-${String(number).padStart(5, '0')}`, name: `User ${number}`, email: `user-${number}@example.com` }
}
