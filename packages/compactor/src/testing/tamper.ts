import { Readable } from 'node:stream'
import type { Engine } from '../engine/engine'
import type { Tamper } from './gated-client'

/**
 * A step of the protocol that is broken on purpose, to show that the simulation sees it:
 *
 * - `select`: what is committed is forgotten, so it is compacted again;
 * - `execute`: the engine loses an object and says that it held no rows;
 * - `verify`: an object that is overwritten between plan and read is not noticed;
 * - `commit`: commits are plain writes, so the last one counts;
 * - `publish`: partitions are added twice; lists of files are written without a condition;
 * - `collect`: garbage is collected without a look at the commits.
 */
export type BreakableStep = 'select' | 'execute' | 'verify' | 'commit' | 'publish' | 'collect'

/** All of them. */
export const breakableSteps: readonly BreakableStep[] = ['select', 'execute', 'verify', 'commit', 'publish', 'collect']

type Input = Readonly<Record<string, unknown>>

const keyOf = (input: Input) => String(input['Key'] ?? '')
const isCommit = (input: Input) => /\/commit\/[^/]+\/\d+\.json$/.test(keyOf(input))

function without(input: Input, ...names: string[]): Input {
  return Object.fromEntries(Object.entries(input).filter(([name]) => !names.includes(name)))
}

/** What a worker's requests become when a step is broken. */
export function tamperWith(step: BreakableStep | undefined, sourcePrefix: string): Tamper {
  switch (step) {
    case 'select':
      return {
        reply: async (name, input, reply) => (name === 'GetObjectCommand' && isCommit(input) ? forgetInputs(reply) : reply),
      }
    case 'verify':
      return unnoticedChanges(sourcePrefix)
    case 'commit':
      return { input: (name, input) => (name === 'PutObjectCommand' && isCommit(input) ? without(input, 'IfNoneMatch') : input) }
    case 'publish':
      return {
        input: (name, input) =>
          name === 'PutObjectCommand' && keyOf(input).includes('manifest/') ? without(input, 'IfNoneMatch', 'IfMatch') : input,
      }
    case 'collect':
      return {
        reply: async (name, input, reply) => {
          if (name !== 'HeadObjectCommand' || !isCommit(input)) return reply
          throw Object.assign(new Error('NotFound'), { name: 'NotFound', $metadata: { httpStatusCode: 404 } })
        },
      }
    default:
      return {}
  }
}

async function forgetInputs(reply: unknown): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of (reply as { Body: AsyncIterable<Buffer> }).Body) chunks.push(Buffer.from(chunk))
  const body = Buffer.from(JSON.stringify({ ...(JSON.parse(Buffer.concat(chunks).toString()) as object), inputs: [] }))
  return { ...(reply as object), ContentLength: body.length, Body: Readable.from([body]) }
}

/** Listings name every object by the first ETag that they named it by, and reads take whatever there is. */
function unnoticedChanges(sourcePrefix: string): Tamper {
  const first = new Map<string, string>()
  return {
    input: (name, input) =>
      name === 'GetObjectCommand' && keyOf(input).startsWith(sourcePrefix) ? without(input, 'IfMatch') : input,
    async reply(name, input, reply) {
      if (name === 'HeadObjectCommand' && keyOf(input).startsWith(sourcePrefix)) {
        const etag = first.get(encodeURIComponent(keyOf(input)).replaceAll('%2F', '/'))
        return etag === undefined ? reply : { ...(reply as object), ETag: etag }
      }
      if (name !== 'ListObjectsV2Command' || !String(input['Prefix']).startsWith(sourcePrefix)) return reply
      const listed = reply as { Contents?: { Key: string; ETag: string }[] }
      const Contents = (listed.Contents ?? []).map((object) => {
        if (!first.has(object.Key)) first.set(object.Key, object.ETag)
        return { ...object, ETag: first.get(object.Key)! }
      })
      return { ...listed, Contents }
    },
  }
}

/** An engine that passes over the last object of each plan. */
export function losingEngine(engine: Engine): Engine {
  return {
    ...engine,
    get statements() {
      return engine.statements
    },
    async run(job) {
      const lost = job.inputs.at(-1)!
      const result = await engine.run({ ...job, inputs: job.inputs.slice(0, -1) })
      return { ...result, accounts: [...result.accounts, { key: lost.key, rows: 0, quarantinedRows: 0 }] }
    },
  }
}
