import { AthenaClient, GetTableMetadataCommand } from '@aws-sdk/client-athena'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { column, defineTable, tableDdl } from '@pipe/core'
import { type Local, startLocal } from '@pipe/local'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Athena, createAthena, identifier, joinSql, list, sql } from '../../src/index'
import { hostileText } from '../hostile'

let local: Local
let athena: Athena
let client: AthenaClient
let s3: S3Client
beforeAll(async () => {
  local = await startLocal()
  s3 = new S3Client(local.aws)
  client = new AthenaClient(local.aws)
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  athena = createAthena({ client, s3, database: 'db', output: 's3://lake/results/', poll: ['5 ms', '50 ms'] })
  await athena.execute('CREATE DATABASE db')
})
afterAll(async () => {
  await athena?.close()
  client?.destroy()
  s3?.destroy()
  await local?.close()
})

const sample = (isSound: (value: string) => boolean, count: number) =>
  [...new Set(fc.sample(hostileText, { numRuns: count, seed: 7 }))].filter((value) => value.isWellFormed() && isSound(value))

describe('hostile values on the local Athena', () => {
  it('come back equal from a query, by page and by file, and find themselves', async () => {
    const values = sample(() => true, 400)
    const rows = values.map((value, i) => sql`(${i}, ${value})`)
    const statement = sql`SELECT i, v FROM (VALUES ${joinSql(rows)}) AS t(i, v) WHERE v IN ${list(values)} ORDER BY i`
    for (const route of ['pages', 'file'] as const) {
      const query = athena.query(statement, { returns: { i: column.integer(), v: column.string() }, route })
      expect(await query.rows()).toEqual(values.map((v, i) => ({ i, v })))
    }
  })

  it('come back equal from the properties of a table', async () => {
    const table = defineTable('t', { columns: { n: column.bigint() } })
    await athena.execute(tableDdl(table, { location: 's3://lake/t/', format: 'json' }))
    const values = sample((value) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(value), 200)
    const pairs = values.map((value, i) => sql`${`k${i}`} = ${value}`)
    await athena.execute(sql`ALTER TABLE ${table} SET TBLPROPERTIES (${joinSql(pairs)})`)
    const { TableMetadata } = await client.send(
      new GetTableMetadataCommand({ CatalogName: 'AwsDataCatalog', DatabaseName: 'db', TableName: 't' }),
    )
    expect(values.map((_, i) => TableMetadata?.Parameters?.[`k${i}`])).toEqual(values)
  })

  it('come back as the names of columns', async () => {
    const names = sample((value) => value !== '' && !/[\u0000-\u001f\u007f]/.test(value) && value.length < 200, 150)
    const columns = names.map((name, i) => sql`${i} AS ${identifier(name)}`)
    const query = athena.query(sql`SELECT ${joinSql(columns)}`, { returns: 'text' })
    expect((await query.result()).columns.map(({ name }) => name)).toEqual(names)
    expect(await query.rows()).toEqual([names.map((_, i) => String(i))])
  })
})
