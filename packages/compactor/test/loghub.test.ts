import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Athena, identifier, sql } from '@pipe/athena-query'
import { column, daily, defineTable, rawKey, type Table } from '@pipe/core'
import { sharedData, sharedDataMissing } from '@pipe/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { athenaEngine, createCompactor, inProcessEngine } from '../src/index'
import { type Lake, type LakeServer, putLines, startLakes } from './lake'

const folder = sharedData('loghub')
const readLog = (name: string) => readFileSync(join(folder as string, name), 'utf8')

interface LogRow {
  /** `2005-12-04 04:47:44` */
  readonly at: string
  readonly line_id: number
  readonly level: string
  readonly component: string
  readonly number: number
  readonly content: string
}

const logTable = (name: string): Table =>
  defineTable(name, {
    columns: {
      at: column.timestamp(),
      line_id: column.integer(),
      level: column.string(),
      component: column.string(),
      number: column.double(),
      content: column.string(),
    },
    eventTime: 'at',
    partitions: daily(),
  })

/** The lines of `[Sun Dec 04 04:47:44 2005] [notice] text`, read with nothing of ours. */
function apacheRows(): LogRow[] {
  const lines = readLog('Apache_2k.log').split('\n').filter(Boolean)
  return lines.map((line, index) => {
    const [, time, level, content] = /^\[(.*?)\] \[(.*?)\] (.*?)\r?$/.exec(line) as unknown as [string, string, string, string]
    const at = new Date(`${time} UTC`).toISOString().slice(0, 19).replace('T', ' ')
    return { at, line_id: index + 1, level, component: '', number: index / 7, content }
  })
}

/** Quoted CSV, read with nothing of ours. */
function csvRows(text: string): string[][] {
  const records = text.trim().split(/\r?\n/)
  return records.map((record) => {
    const fields = record.match(/(?:^|,)(?:"(?:[^"]|"")*"|[^,]*)/g) as string[]
    return fields.map((field) =>
      field
        .replace(/^,/, '')
        .replace(/^"(.*)"$/s, '$1')
        .replaceAll('""', '"'),
    )
  })
}

/** The structured HDFS log: date and time as 081109 and 203615. */
function hdfsRows(): LogRow[] {
  const [, ...records] = csvRows(readLog('HDFS_2k.log_structured.csv'))
  return records.map((fields) => {
    const [id, date, time, pid, level, component, content] = fields as [string, string, string, string, string, string, string]
    const [day, clock] = [date.padStart(6, '0'), time.padStart(6, '0')].map((text) => text.match(/../g) as string[]) as [
      string[],
      string[],
    ]
    return { at: `20${day.join('-')} ${clock.join(':')}`, line_id: Number(id), level, component, number: Number(pid), content }
  })
}

/** Rows as raw objects, one an hour. */
async function putRaw(lake: Lake, table: Table, rows: readonly LogRow[]): Promise<void> {
  const hours = new Map<string, LogRow[]>()
  for (const row of rows) hours.set(row.at.slice(0, 13), [...(hours.get(row.at.slice(0, 13)) ?? []), row])
  for (const [hour, found] of hours) {
    const at = new Date(`${hour.replace(' ', 'T')}:00:00Z`)
    const parts = {
      prefix: '',
      partitions: table.partitions,
      stream: table.name,
      at,
      configHash: '0badcafe',
      extension: 'ndjson.gz',
    }
    await putLines(
      lake.raw,
      rawKey(parts),
      found.map((row) => JSON.stringify({ ...row, at: `${row.at}.000` })),
    )
  }
}

async function summary(athena: Athena, table: Table) {
  const query = athena.query(
    sql`SELECT level, component, count(*) AS rows, sum(line_id) AS ids, sum(number) AS numbers, sum(length(content)) AS characters,
        min(at) AS first, max(at) AS last, count(DISTINCT content) AS texts
        FROM ${table} GROUP BY level, component ORDER BY level, component`,
    {
      returns: {
        level: column.string(),
        component: column.string(),
        rows: column.bigint(),
        ids: column.bigint(),
        numbers: column.double(),
        characters: column.bigint(),
        first: column.timestamp(),
        last: column.timestamp(),
        texts: column.bigint(),
      },
    },
  )
  return query.rows()
}

/** The same by a loop. */
function expected(rows: readonly LogRow[]) {
  const groups = new Map<string, LogRow[]>()
  for (const row of rows) {
    const key = JSON.stringify([row.level, row.component])
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups.keys()].sort().map((key) => {
    const group = groups.get(key) as LogRow[]
    const times = group.map(({ at }) => at).sort()
    return {
      key,
      rows: group.length,
      ids: group.reduce((sum, row) => sum + row.line_id, 0),
      numbers: group.reduce((sum, row) => sum + row.number, 0),
      characters: group.reduce((sum, row) => sum + [...row.content].length, 0),
      first: times[0],
      last: times.at(-1),
      texts: new Set(group.map(({ content }) => content)).size,
    }
  })
}

describe.skipIf(!folder)(`recorded logs ${folder ? '' : sharedDataMissing}`, () => {
  let server: LakeServer
  beforeAll(async () => {
    server = await startLakes()
  })
  afterAll(() => server.close())

  it.each([
    ['apache_logs', 'athena', apacheRows],
    ['hdfs_logs', 'in-process', hdfsRows],
  ] as const)(
    '%s compacted by the %s engine come back whole',
    async (name, engine, read) => {
      const lake = await server.lake()
      const table = logTable(name)
      const rows = read()
      expect(rows).toHaveLength(2000)
      await putRaw(lake, table, rows)
      const compaction = lake.compaction({ table, window: '1 day' })
      const athena = await lake.athena(compaction)
      const client = lake.client()
      const compactor = createCompactor({
        compaction,
        engine: engine === 'athena' ? athenaEngine({ athena }) : inProcessEngine(),
        athena,
        client,
      })
      const days = rows.map(({ at }) => at.slice(0, 10)).sort()
      const to = new Date(Date.parse(`${days.at(-1)}T00:00:00Z`) + 86_400_000)
      const { results } = await compactor.backfill({ from: new Date(`${days[0]}T00:00:00Z`), to, concurrency: 1 })
      expect(results.reduce((sum, result) => sum + result.outputRows, 0)).toBe(2000)
      expect(results.reduce((sum, result) => sum + result.quarantinedRows, 0)).toBe(0)

      const found = await summary(athena, compaction.compacted)
      const wanted = expected(rows)
      expect(found.map(({ level, component }) => JSON.stringify([level, component]))).toEqual(wanted.map(({ key }) => key))
      for (const [i, group] of wanted.entries()) {
        const { numbers, first, last, ...counts } = found[i]!
        expect(Object.values(counts).slice(2).map(Number)).toEqual([group.rows, group.ids, group.characters, group.texts])
        expect(Math.abs(numbers - group.numbers)).toBeLessThanOrEqual(1e-12 * Math.abs(group.numbers))
        expect([first, last].map((at) => at.toISOString().slice(0, 19).replace('T', ' '))).toEqual([group.first, group.last])
      }
      await compactor.close()
      await lake.close()
    },
    240_000,
  )

  it('the structured files are read by an OpenCSVSerde table as they are', async () => {
    const lake = await server.lake()
    const athena = await lake.athena(lake.compaction())
    for (const name of ['Apache_2k.log_structured.csv', 'HDFS_2k.log_structured.csv']) {
      const [header, ...records] = csvRows(readLog(name)) as [string[], ...string[][]]
      const table = name.slice(0, name.indexOf('_')).toLowerCase()
      await lake.raw.put(`${table}/${name}`, readLog(name))
      const columns = header.map((column) => `\`${column.toLowerCase()}\` string`).join(', ')
      await athena.execute(
        `CREATE EXTERNAL TABLE ${table} (${columns}) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' LOCATION '${lake.raw.uri(`${table}/`)}' TBLPROPERTIES ('skip.header.line.count'='1')`,
      )
      const query = athena.query(
        sql`SELECT lineid, content, eventtemplate FROM ${identifier(table)} ORDER BY CAST(lineid AS integer)`,
        {
          returns: { lineid: column.string(), content: column.string(), eventtemplate: column.string() },
        },
      )
      const [id, content, template] = ['LineId', 'Content', 'EventTemplate'].map((column) => header.indexOf(column)) as [
        number,
        number,
        number,
      ]
      const found = (await query.rows()).map(({ lineid, content: text, eventtemplate }) => [lineid, text, eventtemplate])
      expect(found).toEqual(records.map((record) => [record[id], record[content], record[template]]))
    }
    await lake.close()
  }, 240_000)
})
