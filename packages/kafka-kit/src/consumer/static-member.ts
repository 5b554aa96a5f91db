import type { GroupBroker } from './coordinator'

// kafkajs 2.2.4 writes the instance id of KIP-345 in these requests, and never fills it in. It is put in where a request is made.

/** JoinGroup, Heartbeat, SyncGroup: those whose version 5, 3, 3 and later carry the instance id. */
const apiKeys: ReadonlySet<number> = new Set([11, 12, 14])

/** The functions of a broker that make these requests. */
export const staticRequests: ReadonlySet<string | symbol> = new Set(['joinGroup', 'heartbeat', 'syncGroup'])

/** The same broker, whose requests of the group protocol are those of a static member. */
export function asStaticMember(broker: GroupBroker, instanceId: string): GroupBroker {
  return Object.create(broker, {
    lookupRequest: {
      value(apiKey: number, definition: unknown) {
        const make = broker.lookupRequest(apiKey, definition)
        return apiKeys.has(apiKey) ? (request: object) => make({ ...request, groupInstanceId: instanceId }) : make
      },
    },
  }) as GroupBroker
}
