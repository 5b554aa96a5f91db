import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const complete = {
  BUCKET: 'lake',
  RAW_PREFIX: 'raw/',
  COMPACTED_PREFIX: 'compacted/',
  RESULTS_PREFIX: 'results/',
  DATABASE: 'lake',
  COMPACTED_TABLE: 'device_logs_compacted',
  WINDOW: '5 minutes',
  GRACE: '1 minute',
  ENGINE: 'athena',
  WORKGROUP: 'primary',
}

/** What the function says when its module is loaded with these environment variables. */
async function loaded(file: 'log-generator' | 'log-compactor', env: Readonly<Record<string, string>>): Promise<string> {
  for (const name of Object.keys(complete)) vi.stubEnv(name, env[name])
  return import(`../src/${file}.ts`).then(
    () => 'loaded',
    (error: Error) => error.message,
  )
}

beforeEach(() => vi.resetModules())
afterEach(() => vi.unstubAllEnvs())

describe('environment variables of the functions', () => {
  it('load when they are complete', async () => {
    expect(await loaded('log-compactor', { ...complete, ENGINE: 'in-process' })).toBe('loaded')
    expect(await loaded('log-generator', complete)).toBe('loaded')
  })

  it.each([
    ['log-generator', { BUCKET: '' }, 'PIPE_ENV The environment variable BUCKET must be set.'],
    ['log-generator', { RAW_PREFIX: 'raw' }, 'PIPE_LOCATION "s3://lake/raw" is not a place in S3. Write s3://bucket/'],
    ['log-compactor', { DATABASE: '', WINDOW: '' }, 'PIPE_ENV The environment variables DATABASE, WINDOW must be set.'],
    ['log-compactor', { ENGINE: 'in-proces' }, 'PIPE_ENV ENGINE is "in-proces". Set it to athena or in-process.'],
    ['log-compactor', { WINDOW: '7 minutes' }, 'PIPE_WINDOW A window of "7 minutes" is not possible'],
    ['log-compactor', { GRACE: 'soon' }, 'PIPE_CONFIG'],
    ['log-compactor', { COMPACTED_TABLE: 'device-logs' }, 'PIPE_ATHENA_NAME'],
  ] as const)('%s with %j says what is wrong', async (file, env, message) => {
    expect(await loaded(file, { ...complete, ...env })).toContain(message)
  })
})
