import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Api,
  apiVersions,
  boolean,
  bytes,
  defineApi,
  describeLogDirs,
  findCoordinator,
  incrementalAlterConfigs,
  initProducerId,
  int8,
  int16,
  int32,
  int64,
  listOf,
  listOfStructs,
  metadata,
  noTopicId,
  nullableBytes,
  nullableListOf,
  nullableListOfStructs,
  nullableString,
  produce,
  since,
  string,
  tagged,
  uuid,
} from '../src/index'

const load = createRequire(import.meta.url)

interface Everything {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: bigint
  readonly e: boolean
  readonly f: string
  readonly g: string | null
  readonly h: Uint8Array
  readonly i: Uint8Array | null
  readonly j: readonly number[]
  readonly k: readonly string[] | null
  readonly l: readonly { readonly x: string; readonly y: number }[]
  readonly m: readonly { readonly x: bigint }[] | null
  readonly n: string
  readonly o: number
  readonly p: string | null
}

/** Version 0 is plain, 1 has a field more, 2 is flexible and has tagged fields. */
const everything = defineApi<Everything, Everything>({
  key: 99,
  name: 'Everything',
  versions: [0, 2],
  flexibleFrom: 2,
  request: fields(),
  response: fields(),
})

function fields() {
  return {
    a: int8,
    b: int16,
    c: int32,
    d: int64,
    e: boolean,
    f: string,
    g: nullableString,
    h: bytes,
    i: nullableBytes,
    j: listOf(int32),
    k: nullableListOf(string),
    l: listOfStructs<{ x: string; y: number }>({ x: string, y: since(1, int16, -1) }),
    m: nullableListOfStructs<{ x: bigint }>({ x: int64 }),
    n: since(1, uuid, noTopicId),
    o: tagged(0, 2, int32, 7),
    p: tagged(3, 2, nullableString, null),
  }
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const buffer = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))
const anything: fc.Arbitrary<Everything> = fc.record({
  a: fc.integer({ min: -128, max: 127 }),
  b: fc.integer({ min: -32768, max: 32767 }),
  c: fc.integer(),
  d: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  e: fc.boolean(),
  f: text,
  g: fc.option(text),
  h: buffer,
  i: fc.option(buffer),
  j: fc.array(fc.integer(), { maxLength: 200 }),
  k: fc.option(fc.array(text)),
  l: fc.array(fc.record({ x: text, y: fc.integer({ min: -32768, max: 32767 }) })),
  m: fc.option(fc.array(fc.record({ x: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) }))),
  n: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((array) => Buffer.from(array).toString('hex')),
  o: fc.integer(),
  p: fc.option(text),
})

/** What a version keeps of a message. */
function kept(value: Everything, version: number): Everything {
  return {
    ...value,
    l: value.l.map(({ x, y }) => ({ x, y: version < 1 ? -1 : y })),
    n: version < 1 ? noTopicId : value.n,
    o: version < 2 ? 7 : value.o,
    p: version < 2 ? null : value.p,
  }
}

describe('a table', () => {
  it.each([0, 1, 2])('reads what it wrote (version %i)', (version) => {
    fc.assert(
      fc.property(anything, (value) => {
        expect(everything.decodeRequest(everything.encodeRequest(value, version), version)).toEqual(kept(value, version))
        expect(everything.decodeResponse(everything.encodeResponse(value, version), version)).toEqual(kept(value, version))
      }),
    )
  })

  it('refuses what is cut off or too long, and never runs away', () => {
    fc.assert(
      fc.property(anything, fc.nat(), fc.nat({ max: 255 }), fc.constantFrom(0, 1, 2), (value, at, byte, version) => {
        const encoded = everything.encodeRequest(value, version)
        expect(() => everything.decodeRequest(encoded.subarray(0, at % encoded.length), version)).toThrow(/PIPE_KAFKA_WIRE/)
        // As brokers do: librdkafka sends more than it needs.
        expect(everything.decodeRequest(Buffer.concat([encoded, Buffer.alloc(1)]), version)).toEqual(
          everything.decodeRequest(encoded, version),
        )
        encoded[at % encoded.length] = byte
        try {
          everything.decodeRequest(encoded, version)
        } catch (error) {
          expect((error as Error).message).toMatch(/^PIPE_KAFKA_WIRE/)
        }
      }),
    )
  })

  it('skips tagged fields that it does not know', () => {
    const lax = defineApi<{ a: number }, { a: number }>({
      key: 99,
      name: 'Lax',
      versions: [0, 0],
      flexibleFrom: 0,
      request: { a: int8 },
      response: { a: int8 },
    })
    const body = Buffer.from([5, 2, 1, 3, 9, 9, 9, 4, 0])
    expect(lax.decodeRequest(body, 0)).toEqual({ a: 5 })
  })

  it('says what is missing, and which versions it knows', () => {
    const { f: _, ...rest } = fc.sample(anything, 1)[0]!
    expect(() => everything.encodeRequest(rest as Everything, 1)).toThrow(/field f is missing/)
    expect(() => produce.encodeRequest({ transactionalId: null, acks: 0, timeoutMs: 0, topics: [] }, 2)).toThrow(
      /Produce version 2/,
    )
    expect(() => everything.encodeRequest({ ...rest, f: 'x'.repeat(40_000) } as Everything, 1)).toThrow(/32 767/)
  })
})

/** The body of a request as kafkajs writes it. */
async function byKafkajs(folder: string, version: number, options: object): Promise<Buffer> {
  const make = load(`kafkajs/src/protocol/requests/${folder}/v${version}/request`) as (given: object) => {
    encode(): Promise<{ buffer: Buffer }>
  }
  return (await make(options).encode()).buffer
}

describe('requests are byte for byte those of kafkajs', () => {
  it.each([4, 5, 6])('Metadata %i', async (version) => {
    const ours = (topics: string[] | null) =>
      metadata.encodeRequest(
        {
          topics: topics?.map((name) => ({ topicId: noTopicId, name })) ?? null,
          allowAutoTopicCreation: false,
          includeClusterAuthorizedOperations: false,
          includeTopicAuthorizedOperations: false,
        },
        version,
      )
    expect(ours(['a', 'b'])).toEqual(await byKafkajs('metadata', version, { topics: ['a', 'b'], allowAutoTopicCreation: false }))
    expect(ours(null)).toEqual(await byKafkajs('metadata', version, { topics: [], allowAutoTopicCreation: false }))
  })

  it.each([0, 1])('InitProducerId %i', async (version) => {
    for (const transactionalId of [null, 'orders-3']) {
      const ours = initProducerId.encodeRequest(
        { transactionalId, transactionTimeoutMs: 60_000, producerId: -1n, producerEpoch: -1 },
        version,
      )
      expect(ours).toEqual(await byKafkajs('initProducerId', version, { transactionalId, transactionTimeout: 60_000 }))
    }
  })

  it.each([1, 2])('FindCoordinator %i', async (version) => {
    const ours = findCoordinator.encodeRequest({ key: 'billing', keyType: 0 }, version)
    expect(ours).toEqual(await byKafkajs('findCoordinator', version, { coordinatorKey: 'billing', coordinatorType: 0 }))
  })
})

describe('responses are read by kafkajs', () => {
  const decode = async (folder: string, version: number, body: Buffer): Promise<unknown> => {
    const { decode: read } = load(`kafkajs/src/protocol/requests/${folder}/v${version}/response`) as {
      decode(body: Buffer): Promise<unknown>
    }
    return read(body)
  }

  it.each([3, 5, 7])('Produce %i', async (version) => {
    const partition = {
      partition: 2,
      errorCode: 6,
      baseOffset: 2n ** 40n,
      logAppendTimeMs: -1n,
      logStartOffset: 5n,
      recordErrors: [],
      errorMessage: null,
    }
    const body = produce.encodeResponse({ topics: [{ name: 't', partitions: [partition] }], throttleTimeMs: 3 }, version)
    expect(await decode('produce', version, body)).toMatchObject({
      topics: [
        { topicName: 't', partitions: [{ partition: 2, errorCode: 6, baseOffset: '1099511627776', logAppendTime: '-1' }] },
      ],
    })
  })

  it.each([5, 6])('Metadata %i', async (version) => {
    const body = metadata.encodeResponse(
      {
        throttleTimeMs: 0,
        brokers: [{ nodeId: 1, host: 'h', port: 9092, rack: null }],
        clusterId: 'c',
        controllerId: 1,
        clusterAuthorizedOperations: 0,
        topics: [
          {
            errorCode: 0,
            name: 't',
            topicId: noTopicId,
            isInternal: false,
            authorizedOperations: 0,
            partitions: [
              { errorCode: 5, partition: 0, leader: -1, leaderEpoch: 3, replicas: [1, 2], isr: [1], offlineReplicas: [2] },
            ],
          },
        ],
      },
      version,
    )
    expect(await decode('metadata', version, body)).toMatchObject({
      brokers: [{ nodeId: 1, host: 'h', port: 9092, rack: null }],
      controllerId: 1,
      topicMetadata: [
        {
          topic: 't',
          partitionMetadata: [{ partitionErrorCode: 5, leader: -1, replicas: [1, 2], isr: [1], offlineReplicas: [2] }],
        },
      ],
    })
  })

  it.each([0, 1, 2])('ApiVersions %i', async (version) => {
    const body = apiVersions.encodeResponse(
      { errorCode: 0, apiKeys: [{ apiKey: 0, minVersion: 3, maxVersion: 9 }], throttleTimeMs: 0 },
      version,
    )
    expect(await decode('apiVersions', version, body)).toMatchObject({
      apiVersions: [{ apiKey: 0, minVersion: 3, maxVersion: 9 }],
    })
  })
})

describe('each version of each table', () => {
  const cases: [Api<object, object>, object, object][] = [
    [
      incrementalAlterConfigs as never,
      {
        resources: [{ resourceType: 2, resourceName: 't', configs: [{ name: 'retention.ms', operation: 0, value: '1' }] }],
        validateOnly: true,
      },
      { throttleTimeMs: 1, results: [{ errorCode: 40, errorMessage: 'no', resourceType: 2, resourceName: 't' }] },
    ],
    [
      describeLogDirs as never,
      { topics: [{ name: 't', partitions: [0, 1] }] },
      {
        throttleTimeMs: 1,
        errorCode: 0,
        logDirs: [
          {
            errorCode: 0,
            path: '/d',
            topics: [{ name: 't', partitions: [{ partition: 0, sizeBytes: 5n, offsetLag: 0n, isFuture: false }] }],
            totalBytes: -1n,
            usableBytes: -1n,
          },
        ],
      },
    ],
    [
      produce as never,
      {
        transactionalId: null,
        acks: -1,
        timeoutMs: 5,
        topics: [{ name: 't', partitions: [{ partition: 0, records: Buffer.from('x') }] }],
      },
      { topics: [], throttleTimeMs: 0 },
    ],
  ]
  it.each(cases.map(([api, ...rest]) => [api.name, api, ...rest] as const))('%s comes back', (_, api, request, response) => {
    for (let version = api.minVersion; version <= api.maxVersion; version++) {
      expect(api.decodeRequest(api.encodeRequest(request, version), version)).toEqual(request)
      expect(api.decodeResponse(api.encodeResponse(response, version), version)).toEqual(response)
    }
  })
})
