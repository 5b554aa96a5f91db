import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import {
  type Api,
  alterConfigs,
  alterPartitionReassignments,
  deleteGroups,
  deleteRecords,
  deleteTopics,
  heartbeat,
  joinGroup,
  leaveGroup,
  saslAuthenticate,
  saslHandshake,
  syncGroup,
} from '../src/index'

// The tables that a broker needs beyond those of the kit; kafkajs as the oracle, in every version that both know: our requests are its bytes, and it
// reads our answers.
const load = createRequire(import.meta.url)

interface Case {
  readonly api: Api<never, never>
  readonly folder: string
  readonly versions: readonly number[]
  readonly ours: (version: number) => object
  readonly theirs: object
  readonly answer: (version: number) => object
  readonly read: object
}

const members = [{ memberId: 'm-1', groupInstanceId: null, metadata: Buffer.from('all') }]

const cases: readonly Case[] = [
  {
    api: joinGroup as never,
    folder: 'joinGroup',
    versions: [0, 1, 2, 3, 4, 5],
    ours: (version) => ({
      group: 'billing',
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: version === 0 ? -1 : 60_000,
      memberId: 'm-1',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('sub') }],
      reason: null,
    }),
    theirs: {
      groupId: 'billing',
      sessionTimeout: 30_000,
      rebalanceTimeout: 60_000,
      memberId: 'm-1',
      protocolType: 'consumer',
      groupProtocols: [{ name: 'range', metadata: Buffer.from('sub') }],
    },
    answer: () => ({
      throttleTimeMs: 0,
      errorCode: 0,
      generationId: 3,
      protocolType: null,
      protocolName: 'range',
      leader: 'm-1',
      skipAssignment: false,
      memberId: 'm-1',
      members,
    }),
    read: { errorCode: 0, generationId: 3, groupProtocol: 'range', leaderId: 'm-1', memberId: 'm-1' },
  },
  {
    api: syncGroup as never,
    folder: 'syncGroup',
    versions: [0, 1, 2, 3],
    ours: () => ({
      group: 'billing',
      generationId: 3,
      memberId: 'm-1',
      groupInstanceId: null,
      protocolType: null,
      protocolName: null,
      assignments: [{ memberId: 'm-1', assignment: Buffer.from('part') }],
    }),
    theirs: {
      groupId: 'billing',
      generationId: 3,
      memberId: 'm-1',
      groupAssignment: [{ memberId: 'm-1', memberAssignment: Buffer.from('part') }],
    },
    answer: () => ({ throttleTimeMs: 0, errorCode: 0, protocolType: null, protocolName: null, assignment: Buffer.from('part') }),
    read: { errorCode: 0, memberAssignment: Buffer.from('part') },
  },
  {
    api: heartbeat as never,
    folder: 'heartbeat',
    versions: [0, 1, 2, 3],
    ours: () => ({ group: 'billing', generationId: 3, memberId: 'm-1', groupInstanceId: null }),
    theirs: { groupId: 'billing', groupGenerationId: 3, memberId: 'm-1', groupInstanceId: null },
    answer: () => ({ throttleTimeMs: 0, errorCode: 27 }),
    read: { errorCode: 27 },
  },
  {
    api: leaveGroup as never,
    folder: 'leaveGroup',
    versions: [0, 1, 2, 3],
    ours: (version) => ({
      group: 'billing',
      memberId: version < 3 ? 'm-1' : '',
      members: version < 3 ? [] : [{ memberId: 'm-1', groupInstanceId: null, reason: null }],
    }),
    theirs: { groupId: 'billing', memberId: 'm-1', members: [{ memberId: 'm-1' }] },
    answer: (version) => ({
      throttleTimeMs: 0,
      errorCode: 0,
      members: version < 3 ? [] : [{ memberId: 'm-1', groupInstanceId: null, errorCode: 25 }],
    }),
    read: { errorCode: 0 },
  },
  {
    api: deleteGroups as never,
    folder: 'deleteGroups',
    versions: [0, 1],
    ours: () => ({ groups: ['billing', 'shipping'] }),
    theirs: ['billing', 'shipping'],
    answer: () => ({ throttleTimeMs: 0, results: [{ group: 'billing', errorCode: 68 }] }),
    read: { results: [{ groupId: 'billing', errorCode: 68 }] },
  },
  {
    api: deleteTopics as never,
    folder: 'deleteTopics',
    versions: [1],
    ours: () => ({ topics: ['orders'], timeoutMs: 5000 }),
    theirs: { topics: ['orders'], timeout: 5000 },
    answer: () => ({ throttleTimeMs: 0, topics: [{ name: 'orders', errorCode: 3, errorMessage: null }] }),
    read: { topicErrors: [{ topic: 'orders', errorCode: 3 }] },
  },
  {
    api: deleteRecords as never,
    folder: 'deleteRecords',
    versions: [0, 1],
    ours: () => ({ topics: [{ name: 'orders', partitions: [{ partition: 1, offset: 7n }] }], timeoutMs: 5000 }),
    theirs: { topics: [{ topic: 'orders', partitions: [{ partition: 1, offset: '7' }] }], timeout: 5000 },
    answer: () => ({
      throttleTimeMs: 0,
      topics: [{ name: 'orders', partitions: [{ partition: 1, lowWatermark: 7n, errorCode: 0 }] }],
    }),
    read: { topics: [{ topic: 'orders', partitions: [{ partition: 1, lowWatermark: 7n, errorCode: 0 }] }] },
  },
  {
    api: alterConfigs as never,
    folder: 'alterConfigs',
    versions: [0, 1],
    ours: () => ({
      resources: [{ resourceType: 2, resourceName: 'orders', configs: [{ name: 'retention.ms', value: '60000' }] }],
      validateOnly: true,
    }),
    theirs: {
      resources: [{ type: 2, name: 'orders', configEntries: [{ name: 'retention.ms', value: '60000' }] }],
      validateOnly: true,
    },
    answer: () => ({
      throttleTimeMs: 0,
      results: [{ errorCode: 40, errorMessage: 'no', resourceType: 2, resourceName: 'orders' }],
    }),
    read: { resources: [{ errorCode: 40, errorMessage: 'no', resourceType: 2, resourceName: 'orders' }] },
  },
  {
    api: saslHandshake as never,
    folder: 'saslHandshake',
    versions: [0, 1],
    ours: () => ({ mechanism: 'PLAIN' }),
    theirs: { mechanism: 'PLAIN' },
    answer: () => ({ errorCode: 0, mechanisms: ['PLAIN', 'SCRAM-SHA-256'] }),
    read: { errorCode: 0, enabledMechanisms: ['PLAIN', 'SCRAM-SHA-256'] },
  },
]

describe.each(cases)('$folder', ({ api, folder, versions, ours, theirs, answer, read }) => {
  test.each(versions)('version %d', async (version) => {
    const request = load(`kafkajs/src/protocol/requests/${folder}/v${version}/request`) as (options: object) => {
      encode(): Promise<{ buffer: Buffer }>
    }
    const { buffer } = await request(theirs).encode()
    const encoded = api.encodeRequest(ours(version) as never, version)
    expect(encoded.toString('hex')).toBe(buffer.toString('hex'))
    expect(api.decodeRequest(encoded, version)).toEqual(ours(version))
    interface Reader {
      decode(bytes: Buffer): Promise<object>
    }
    const loaded = load(`kafkajs/src/protocol/requests/${folder}/v${version}/response`) as Reader | ((request: object) => Reader)
    const response = typeof loaded === 'function' ? loaded(theirs) : loaded
    const bytes = api.encodeResponse(answer(version) as never, version)
    expect(await response.decode(bytes)).toMatchObject(read)
    expect(api.decodeResponse(bytes, version)).toEqual(answer(version))
  })
})

test('flexible versions come back', () => {
  for (const { api, ours, answer } of cases) {
    for (let version = api.minVersion; version <= api.maxVersion; version++) {
      expect(api.decodeRequest(api.encodeRequest(ours(version) as never, version), version)).toEqual(ours(version))
      expect(api.decodeResponse(api.encodeResponse(answer(version) as never, version), version)).toEqual(answer(version))
    }
  }
})

test('a reassignment is read by kafkajs and written as by it', async () => {
  const request = load('kafkajs/src/protocol/requests/alterPartitionReassignments/v0/request') as (options: object) => {
    encode(): Promise<{ buffer: Buffer }>
  }
  const theirs = { topics: [{ topic: 'orders', partitionAssignment: [{ partition: 1, replicas: [2, 3] }] }], timeout: 5000 }
  const { buffer } = await request(theirs).encode()
  const ours = { timeoutMs: 5000, topics: [{ name: 'orders', partitions: [{ partition: 1, replicas: [2, 3] }] }] }
  // kafkajs writes the tagged fields of the header, one zero, with the body.
  expect(`00${alterPartitionReassignments.encodeRequest(ours, 0).toString('hex')}`).toBe(buffer.toString('hex'))
  expect(alterPartitionReassignments.decodeRequest(buffer.subarray(1), 0)).toEqual(ours)
})

test('a step of an authentication', () => {
  const step = { authBytes: Buffer.from('\0alice\0secret') }
  for (const version of [0, 1, 2])
    expect(saslAuthenticate.decodeRequest(saslAuthenticate.encodeRequest(step, version), version)).toEqual(step)
  const answer = { errorCode: 58, errorMessage: 'no', authBytes: Buffer.alloc(0), sessionLifetimeMs: 0n }
  for (const version of [0, 1, 2]) {
    expect(saslAuthenticate.decodeResponse(saslAuthenticate.encodeResponse(answer, version), version)).toEqual(answer)
  }
})
