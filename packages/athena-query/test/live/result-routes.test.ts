import { AthenaClient } from '@aws-sdk/client-athena'
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { column, PipeError } from '@pipe/core'
import { type Local, startLocal } from '@pipe/local'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Athena, createAthena, sql } from '../../src/index'

let local: Local
let athena: Athena
let client: AthenaClient
let s3: S3Client
beforeAll(async () => {
  local = await startLocal()
  s3 = new S3Client(local.aws)
  client = new AthenaClient(local.aws)
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  athena = createAthena({ client, s3, output: 's3://lake/results/', poll: ['5 ms', '50 ms'] })
})
afterAll(async () => {
  await athena?.close()
  client?.destroy()
  s3?.destroy()
  await local?.close()
})

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing',
    (error: unknown) => (PipeError.isInstance(error) ? error.code : String(error)),
  )
const place = (uri: string) => {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri)!
  return { Bucket: Bucket!, Key: Key! }
}

const columns = {
  n: column.bigint(),
  text: column.string().nullable(),
  x: column.double().nullable(),
  at: column.timestamp(),
  money: column.decimal(10, 2),
  day: column.date(),
  ok: column.boolean(),
  bytes: column.binary(),
}
const wide = (rows: number) => sql`SELECT n, IF(n % 3 = 0, NULL, IF(n % 3 = 1, '', concat('say "', CAST(n AS varchar), '", then
go'))) AS text, IF(n % 2 = 0, CAST(n AS double) / 4E0) AS x, TIMESTAMP '2026-11-24 15:31:00.007' AS at, CAST(n AS decimal(10,2)) AS money,
  DATE '2026-11-24' AS day, n % 2 = 0 AS ok, to_utf8('é') AS bytes FROM UNNEST(sequence(1, ${rows})) AS t(n)`
const expected = (n: number) => ({
  n: BigInt(n),
  text: n % 3 === 0 ? null : n % 3 === 1 ? '' : `say "${n}", then\ngo`,
  x: n % 2 === 0 ? n / 4 : null,
  at: new Date('2026-11-24T15:31:00.007Z'),
  money: `${n}.00`,
  day: '2026-11-24',
  ok: n % 2 === 0,
  bytes: Uint8Array.of(0xc3, 0xa9),
})
const byNumber = (a: { n: bigint }, b: { n: bigint }) => Number(a.n - b.n)

describe('the routes', () => {
  it.each([['pages'], ['file'], ['unload']] as const)('%s gives the same rows', async (route) => {
    const query = athena.query(wide(1500), { returns: columns, route })
    const rows = await query.rows()
    expect(rows.sort(byNumber)).toEqual(Array.from({ length: 1500 }, (_, i) => expected(i + 1)))
    expect(await query.result()).toMatchObject({ route, why: 'asked for' })
    expect((await query.first())?.at).toEqual(new Date('2026-11-24T15:31:00.007Z'))
  })

  it('auto reads a small result by its page and a large one from its file, and says so', async () => {
    const small = athena.query(sql`SELECT ${1} AS n`, { returns: { n: column.integer() } })
    expect(await small.result()).toEqual({
      route: 'pages',
      why: 'not more than 1000 rows',
      columns: [{ name: 'n', type: 'integer' }],
    })
    const large = athena.query(sql`SELECT n FROM UNNEST(sequence(1, 1500)) AS t(n)`, { returns: { n: column.bigint() } })
    expect(await large.rows()).toHaveLength(1500)
    expect(await large.result()).toMatchObject({ route: 'file', why: 'more than 1000 rows' })
    const noS3 = createAthena({ client, output: 's3://lake/results/', poll: ['5 ms', '50 ms'] })
    const paged = noS3.query(sql`SELECT n FROM UNNEST(sequence(1, 1500)) AS t(n)`, { returns: { n: column.bigint() } })
    expect(await paged.result()).toMatchObject({ route: 'pages', why: 'no client of S3 was given' })
    expect(await paged.rows()).toHaveLength(1500)
    await noS3.close()
  })

  it('nested values come by UNLOAD, or through JSON when asked for', async () => {
    const returns = { tags: column.array(column.string()), sizes: column.map(column.string(), column.bigint()) }
    const statement = sql`SELECT ARRAY['a, b', '[c'] AS tags, MAP(ARRAY['x=1'], ARRAY[9007199254740993]) AS sizes`
    const row = { tags: ['a, b', '[c'], sizes: new Map([['x=1', 9007199254740993n]]) }
    expect(await athena.query(statement, { returns, nested: 'json' }).rows()).toEqual([row])
    const unload = athena.query(statement, { returns })
    expect(await unload.rows()).toEqual([row])
    expect(await unload.result()).toMatchObject({ route: 'unload', why: 'returns has nested columns' })
    const struct = athena.query(sql`SELECT CAST(ROW('x=1', 0.5E0) AS ROW(metric varchar, value double)) AS reading`, {
      returns: { reading: column.struct({ metric: column.string(), value: column.double() }) },
    })
    expect(await struct.rows()).toEqual([{ reading: { metric: 'x=1', value: 0.5 } }])
    const text = athena.query(statement, { returns, route: 'pages' })
    const message = await text.rows().then(String, (error: Error) => error.message)
    expect(message).toContain(`"tags" is declared as array(varchar), but the query returns array`)
    expect(message).toContain("nested: 'json'")
  })

  it('what cannot be wrapped is refused before anything is sent', () => {
    const returns = { tags: column.array(column.string()) }
    expect(() => athena.query(sql`SELECT tags FROM t ORDER BY 1`, { returns })).toThrow('UNLOAD keeps no order')
    expect(() => athena.query(sql`SHOW TABLES`, { returns })).toThrow('only a query can be wrapped')
    expect(() => athena.query(sql`SELECT 1`, { returns: 'text', route: 'unload' })).toThrow('needs declared columns')
    expect(() => createAthena({ client }).query(sql`SELECT tags FROM t`, { returns })).toThrow('needs a place for its files')
  })

  it('texts by position keep names that are there twice', async () => {
    const query = athena.query(sql`SELECT 1 AS n, '' AS n, NULL AS other`, { returns: 'text' })
    expect(await query.rows()).toEqual([['1', '', null]])
    expect((await query.result()).columns.map(({ name }) => name)).toEqual(['n', 'n', 'other'])
  })

  it('a Web stream goes at the pace of its reader', async () => {
    const reader = athena.query(wide(1500), { returns: columns, route: 'file' }).stream().getReader()
    expect((await reader.read()).value).toEqual(expected(1))
    await reader.cancel()
    const all = athena.query(sql`SELECT n FROM UNNEST(sequence(1, 3)) AS t(n)`, { returns: { n: column.bigint() } }).stream()
    const seen: bigint[] = []
    for await (const { n } of all) seen.push(n)
    expect(seen).toEqual([1n, 2n, 3n])
  })
})

describe('a result file that changed', () => {
  const returns = { n: column.bigint() }
  const statement = sql`SELECT n FROM UNNEST(sequence(1, 1500)) AS t(n)`
  const ran = async () => {
    const query = athena.query(statement, { returns, route: 'file' })
    return { query, file: place((await query.report()).outputLocation!) }
  }

  it('is gone', async () => {
    const { query, file } = await ran()
    await query.result()
    await s3.send(new DeleteObjectCommand(file))
    expect(await codeOf(query.rows())).toBe('PIPE_ATHENA_RESULT')
  })

  it('was cut off', async () => {
    const { query, file } = await ran()
    await query.result()
    await s3.send(new PutObjectCommand({ ...file, Body: '"n"\n"1"\n"2' }))
    const seen: bigint[] = []
    const reading = (async () => {
      for await (const { n } of query) seen.push(n)
    })()
    expect(await codeOf(reading)).toBe('PIPE_ATHENA_RESULT')
    expect(seen).toEqual([1n])
  })

  it('is the result of another query', async () => {
    const { query, file } = await ran()
    await query.result()
    await s3.send(new PutObjectCommand({ ...file, Body: '"m"\n"1"\n' }))
    expect(await codeOf(query.rows())).toBe('PIPE_ATHENA_RESULT')
  })
})
