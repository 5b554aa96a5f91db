import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Catalog, openCatalog } from '../../src/catalog/catalog'
import type { CatalogTable } from '../../src/catalog/catalog-entry'

let dir: string
let catalog: Catalog
const open = () => openCatalog({ dir, now: () => 1_000 })
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pipe-catalog-'))
  catalog = open()
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const table = (name: string): CatalogTable => ({
  database: 'logs',
  name,
  columns: [{ name: 'a', type: 'int' }],
  partitionKeys: [{ name: 'dt', type: 'string' }],
  location: `s3://lake/${name}/`,
  serde: 's',
  serdeProperties: {},
  inputFormat: 'i',
  outputFormat: 'o',
  properties: {},
  createdAt: 5,
})
const partition = (dt: string) => ({ values: [dt], location: `s3://lake/${dt}/`, createdAt: 6 })

test('has the database default from the start', () => {
  expect(catalog.databases()).toEqual([{ name: 'default', properties: {}, createdAt: 1_000 }])
})

test('one of many creations of the same name wins', () => {
  const database = { name: 'logs', properties: {}, createdAt: 2 }
  expect(Array.from({ length: 20 }, () => catalog.createDatabase(database)).filter(Boolean)).toHaveLength(1)
  expect(catalog.createTable({ ...table('t'), database: 'nowhere' })).toBe(false)
  expect(Array.from({ length: 20 }, () => catalog.createTable(table('t'))).filter(Boolean)).toHaveLength(1)
  expect(catalog.addPartitions('logs', 't', [partition('b'), partition('a'), partition('b')])).toHaveLength(2)
  expect(catalog.addPartitions('logs', 't', [partition('a'), partition('c')])).toEqual([partition('c')])
  expect(catalog.partitions('logs', 't').map(({ values }) => values[0])).toEqual(['a', 'b', 'c'])
})

test('is found again after a restart, also when the last write was cut', async () => {
  catalog.createDatabase({ name: 'logs', comment: 'x', properties: { k: 'v' }, createdAt: 2 })
  catalog.createTable(table('kept'))
  catalog.createTable(table('dropped'))
  catalog.addPartitions('logs', 'kept', [partition('a'), partition('b'), partition('c')])
  catalog.dropPartitions('logs', 'kept', [['b'], ['nothing']])
  catalog.dropTable('logs', 'dropped')
  const all = (from: Catalog) => [
    from.databases(),
    from.tables('logs'),
    from.partitions('logs', 'kept'),
    from.partition('logs', 'kept', ['a']),
  ]
  const before = all(catalog)
  await appendFile(join(dir, 'catalog.jsonl'), '{"kind":"table-drop')
  catalog = open()
  expect(all(catalog)).toEqual(before)
  expect(catalog.dropDatabase('logs')).toBe(true)
  expect(open().databases()).toHaveLength(1)
})

test('a damaged line is an error that names file and line', async () => {
  const file = join(dir, 'catalog.jsonl')
  await writeFile(file, `${await readFile(file, 'utf8')}not json\n`)
  expect(open).toThrow(/PIPE_LOCAL_CATALOG .*catalog\.jsonl line 2 /)
})

test('a long journal is written anew', async () => {
  catalog.createDatabase({ name: 'logs', properties: {}, createdAt: 2 })
  for (let i = 0; i < 600; i++) {
    catalog.createTable(table('t'))
    catalog.dropTable('logs', 't')
  }
  catalog.createTable(table('t'))
  catalog.addPartitions('logs', 't', [partition('a')])
  const again = open()
  expect(again.table('logs', 't')).toEqual(table('t'))
  expect(again.partitions('logs', 't')).toEqual([partition('a')])
  expect((await readFile(join(dir, 'catalog.jsonl'), 'utf8')).split('\n')).toHaveLength(5)
})
