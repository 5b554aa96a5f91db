import { createByteCursor } from './byte-cursor'

/** The partitions of one topic that a member of a group reads. */
export interface AssignedTopic {
  readonly topic: string
  readonly partitions: readonly number[]
}

/**
 * Reads the assignment of a member, as the consumer protocol embeds it into the group protocol: version, topics with partitions, user data.
 *
 * @returns an empty list for an empty assignment (a member that has none yet).
 * @throws {@link WireError} when the bytes are no assignment.
 */
export function readAssignment(assignment: Uint8Array): AssignedTopic[] {
  if (assignment.length === 0) return []
  const cursor = createByteCursor(assignment, 'The assignment of a group member')
  cursor.int16()
  const topics: AssignedTopic[] = []
  for (let count = cursor.int32(); count > 0; count--) {
    const topic = cursor.utf8(cursor.int16())
    const partitions: number[] = []
    for (let left = cursor.int32(); left > 0; left--) partitions.push(cursor.int32())
    topics.push({ topic, partitions })
  }
  return topics
}
