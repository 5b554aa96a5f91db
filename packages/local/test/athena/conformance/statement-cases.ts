import type { AthenaServer } from '../athena-server'

/**
 * A statement of the starter cases: what has to be there before, and what must be true after it, as the Athena User Guide says. Each runs in
 * a database of its own whose names `db` and `s3://b/` stand for.
 */
export interface StatementCase {
  /** Name in the starter cases. */
  readonly name: string
  /** Page of the Athena User Guide (https://docs.aws.amazon.com/athena/latest/ug/) that says what happens. */
  readonly page: string
  readonly before?: readonly string[]
  /** Objects in the bucket, by key. */
  readonly objects?: Readonly<Record<string, string>>
  /** Values of the parameters. */
  readonly parameters?: readonly string[]
  /** What the statement answers, by rows of cells; absent: not looked at. */
  readonly rows?: readonly (readonly (string | null)[])[]
  /** What later queries answer. */
  readonly after?: Readonly<Record<string, readonly (readonly (string | null)[])[]>>
  /** Data objects below these folders of the bucket, by number. */
  readonly files?: Readonly<Record<string, number>>
  /** Set for a statement that is refused: what the refusal names. */
  readonly refused?: RegExp
  check?(athena: AthenaServer, place: { readonly database: string; readonly bucket: string }): Promise<void>
}

const logs = `CREATE EXTERNAL TABLE logs (\`time\` timestamp, level string) PARTITIONED BY (dt string, hour int) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://b/logs/'`
const byDay = `CREATE EXTERNAL TABLE logs (\`time\` timestamp, level string) PARTITIONED BY (dt string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://b/logs/'`
const numbers = `CREATE EXTERNAL TABLE t (a int, b string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://b/c/'`
const day = { 'logs/dt=2024-01-01/x.csv': '2024-01-01 00:00:01,info\n2024-01-01 00:00:02,warn\n' }
const pad = (text: string) => text.padEnd(20)

export const statementCases: readonly StatementCase[] = [
  {
    name: 'CREATE EXTERNAL TABLE JSON serde + projection',
    page: 'partition-projection-setting-up.html',
    rows: [],
    after: {
      'SHOW COLUMNS IN logs': ['time', 'level', 'tags', 'req', 'dt', 'hour'].map((name) => [pad(name)]),
      "SHOW TBLPROPERTIES logs('projection.dt.type')": [['date']],
    },
    async check(athena, { database }) {
      const failed = await athena.failure('SELECT * FROM logs', { QueryExecutionContext: { Database: database } })
      if (!/^HIVE_METASTORE_ERROR: .*missing projection configuration: \[hour\]/.test(failed)) throw new Error(failed)
    },
  },
  {
    name: 'CREATE EXTERNAL TABLE OpenCSV',
    page: 'csv-serde.html',
    objects: { 'c/x.csv': 'a,b\n"one, two","say ""x"""\n' },
    after: { 'SELECT * FROM t': [['one, two', 'say "x"']] },
  },
  {
    name: 'CREATE EXTERNAL TABLE DELIMITED',
    page: 'lazy-simple-serde.html',
    objects: { 'c/x.tsv': '1\tone\nx\t\\N\n' },
    after: {
      'SELECT * FROM t ORDER BY a': [
        ['1', 'one'],
        [null, null],
      ],
    },
  },
  {
    name: 'CREATE EXTERNAL TABLE PARQUET',
    page: 'create-table.html',
    after: {
      'SHOW PARTITIONS t': [],
      "SHOW TBLPROPERTIES t('parquet.compression')": [['SNAPPY']],
      'SELECT count(*) FROM t': [['0']],
    },
  },
  {
    name: '… STORED AS INPUTFORMAT',
    page: 'create-table.html',
    objects: { 'x/a': '7\n' },
    after: { 'SELECT a FROM t': [['7']] },
  },
  {
    name: '… RegexSerDe',
    page: 'regex-serde.html',
    objects: { 'x/a': 'GET /a\nno\n' },
    after: { 'SELECT a FROM t ORDER BY a': [['GET'], [null]] },
  },
  { name: '… CLUSTERED BY', page: 'create-table.html', refused: /CLUSTERED BY/ },
  { name: 'CREATE TABLE ICEBERG', page: 'querying-iceberg-creating-tables.html', refused: /Iceberg/ },
  {
    name: 'MSCK REPAIR TABLE',
    page: 'msck-repair-table.html',
    before: [logs],
    objects: {
      'logs/dt=2024-01-01/hour=07/a.csv': 'x\n',
      'logs/dt=2024-01-02/hour=8/b.csv': 'x\n',
      'logs/Dt=2024-01-03/hour=1/c.csv': 'x\n',
    },
    after: { 'SHOW PARTITIONS logs': [['dt=2024-01-01/hour=7'], ['dt=2024-01-02/hour=8']], 'SELECT count(*) FROM logs': [['2']] },
  },
  {
    name: 'ALTER ADD PARTITION',
    page: 'alter-table-add-partition.html',
    before: [logs],
    objects: day,
    after: {
      'SHOW PARTITIONS logs': [['dt=2024-01-01/hour=1'], ['dt=2024-01-02/hour=1']],
      "SELECT count(*) FROM logs WHERE dt = '2024-01-01'": [['2']],
    },
  },
  {
    name: 'ALTER DROP PARTITION',
    page: 'alter-table-drop-partition.html',
    before: [byDay, "ALTER TABLE logs ADD PARTITION (dt='2024-01-01') PARTITION (dt='2024-01-02') PARTITION (dt='2024-01-03')"],
    objects: day,
    after: { 'SHOW PARTITIONS logs': [['dt=2024-01-03']] },
    files: { 'logs/': 1 },
  },
  {
    name: 'ALTER PARTITION SET LOCATION',
    page: 'alter-table-set-location.html',
    before: [byDay, "ALTER TABLE logs ADD PARTITION (dt='2024-01-01')"],
    objects: { ...day, 'new/y.csv': '2024-01-01 00:00:03,new\n' },
    after: { 'SELECT level, dt FROM logs': [['new', '2024-01-01']] },
  },
  {
    name: 'ALTER RENAME PARTITION',
    page: 'alter-table-rename-partition.html',
    before: [byDay, "ALTER TABLE logs ADD PARTITION (dt='a') LOCATION 's3://b/logs/dt=2024-01-01/'"],
    objects: day,
    after: { 'SHOW PARTITIONS logs': [['dt=b']], 'SELECT DISTINCT dt FROM logs': [['b']] },
  },
  {
    name: 'ALTER ADD COLUMNS',
    page: 'alter-table-add-columns.html',
    before: ["CREATE EXTERNAL TABLE logs (a int) PARTITIONED BY (dt string) STORED AS PARQUET LOCATION 's3://b/logs/'"],
    after: { 'SHOW COLUMNS FROM logs': ['a', 'x', 'y', 'dt'].map((name) => [pad(name)]), 'SELECT x, y FROM logs': [] },
  },
  {
    name: 'ALTER REPLACE COLUMNS',
    page: 'alter-table-replace-columns.html',
    before: [byDay, 'MSCK REPAIR TABLE logs'],
    objects: day,
    after: {
      'SHOW COLUMNS IN logs': [[pad('x')], [pad('dt')]],
      'SELECT x FROM logs ORDER BY x': [['2024-01-01 00:00:01'], ['2024-01-01 00:00:02']],
    },
  },
  {
    name: 'ALTER SET TBLPROPERTIES',
    page: 'alter-table-set-tblproperties.html',
    before: [byDay],
    after: { "SHOW TBLPROPERTIES logs('a')": [['b']] },
  },
  {
    name: 'CTAS full',
    page: 'ctas-examples.html',
    before: [byDay, 'MSCK REPAIR TABLE logs'],
    objects: day,
    after: {
      'SELECT level, dt FROM out ORDER BY 1': [
        ['info', '2024-01-01'],
        ['warn', '2024-01-01'],
      ],
      'SHOW PARTITIONS `out`': [['dt=2024-01-01']],
    },
    files: { 'out/dt=2024-01-01/': 1, 'out/': 1 },
  },
  {
    name: 'CTAS write_compression NO DATA',
    page: 'create-table-as.html',
    after: { 'SELECT * FROM x': [], 'SHOW COLUMNS IN x': [[pad('a')]] },
  },
  { name: 'CTAS iceberg', page: 'querying-iceberg-creating-tables.html', refused: /CTAS property table_type/ },
  {
    name: 'UNLOAD',
    page: 'unload.html',
    before: [byDay, "ALTER TABLE logs ADD PARTITION (dt='x') LOCATION 's3://b/logs/dt=2024-01-01/'"],
    objects: day,
    files: { 'unload/dt=x/': 1, 'unload/': 1 },
    async check(athena, { database, bucket }) {
      const context = { QueryExecutionContext: { Database: database } }
      await athena.ok(
        `CREATE EXTERNAL TABLE unloaded (\`time\` timestamp, level string) STORED AS PARQUET LOCATION 's3://${bucket}/unload/dt=x/'`,
        context,
      )
      const rows = await athena.rows('SELECT level FROM unloaded ORDER BY 1', context)
      if (JSON.stringify(rows) !== '[["info"],["warn"]]') throw new Error(JSON.stringify(rows))
    },
  },
  {
    name: 'INSERT INTO SELECT',
    page: 'insert-into.html',
    before: [
      "CREATE EXTERNAL TABLE `out` (a int, b string, c date) STORED AS PARQUET LOCATION 's3://b/out/'",
      numbers.replace('TABLE t', 'TABLE logs'),
    ],
    objects: { 'c/x.csv': '1,one\n2,\\N\n' },
    after: {
      'SELECT * FROM out ORDER BY a': [
        ['1', 'one', null],
        ['2', null, null],
      ],
    },
    files: { 'out/': 1 },
  },
  {
    name: 'INSERT VALUES',
    page: 'insert-into.html',
    before: [
      "CREATE EXTERNAL TABLE t (a bigint, b string) STORED AS PARQUET LOCATION 's3://b/t/'",
      "INSERT INTO t VALUES (0, 'x')",
    ],
    after: {
      'SELECT * FROM t ORDER BY a': [
        ['0', 'x'],
        ['1', 'a'],
        ['2', 'b'],
      ],
    },
    files: { 't/': 2 },
  },
  {
    name: 'DROP TABLE',
    page: 'drop-table.html',
    before: [byDay],
    objects: day,
    after: { 'SHOW TABLES': [] },
    files: { 'logs/': 1 },
  },
  {
    name: 'DROP DATABASE CASCADE',
    page: 'drop-database.html',
    before: [byDay],
    objects: day,
    files: { 'logs/': 1 },
    async check(athena, { database }) {
      const rows = await athena.rows(`SHOW DATABASES LIKE '${database}'`)
      if (rows.length > 0) throw new Error(`${database} is still there`)
    },
  },
  {
    name: 'CREATE DATABASE',
    page: 'create-database.html',
    async check(athena, { database }) {
      const rows = await athena.rows(`SHOW DATABASES LIKE '${database}'`)
      if (rows.length !== 1) throw new Error(`${database} is not there`)
    },
  },
  {
    name: 'CREATE OR REPLACE VIEW',
    page: 'create-view.html',
    before: [numbers, 'CREATE VIEW v AS SELECT b FROM t'],
    objects: { 'c/x.csv': '1,one\n' },
    rows: [],
    after: { 'SELECT * FROM v': [['1']], 'SHOW COLUMNS IN v': [[pad('a')]], 'SHOW VIEWS': [['v']] },
  },
  {
    name: 'DROP VIEW',
    page: 'drop-view.html',
    before: [numbers, 'CREATE VIEW v AS SELECT a FROM t'],
    after: { 'SHOW VIEWS': [], 'SHOW TABLES': [['t']] },
  },
  { name: 'SHOW TABLES', page: 'show-tables.html', before: [byDay, numbers], rows: [['logs']] },
  {
    name: 'SHOW DATABASES',
    page: 'show-databases.html',
    before: ['CREATE DATABASE a_one', 'CREATE DATABASE b_one'],
    rows: [['a_one']],
  },
  {
    name: 'SHOW PARTITIONS',
    page: 'show-partitions.html',
    before: [logs, "ALTER TABLE logs ADD PARTITION (dt='b', hour=1) PARTITION (dt='a', hour=2)"],
    rows: [['dt=a/hour=2'], ['dt=b/hour=1']],
  },
  {
    name: 'SHOW COLUMNS',
    page: 'show-columns.html',
    before: [logs],
    rows: ['time', 'level', 'dt', 'hour'].map((name) => [pad(name)]),
  },
  {
    name: 'SHOW CREATE TABLE',
    page: 'show-create-table.html',
    before: [byDay],
    async check(athena, { database }) {
      // What it prints makes the same table.
      const context = { QueryExecutionContext: { Database: database } }
      const text = (await athena.rows('SHOW CREATE TABLE logs', context)).map(([line]) => line).join('\n')
      await athena.ok('DROP TABLE logs', context)
      await athena.ok(text.replace(`\`${database}.logs\``, `\`${database}\`.\`logs\``), context)
      const again = (await athena.rows('SHOW CREATE TABLE logs', context)).map(([line]) => line).join('\n')
      const stable = (statement: string) => statement.replace(/'transient_lastDdlTime'='\d+'/, '')
      if (stable(again) !== stable(text)) throw new Error(`${text}\n${again}`)
    },
  },
  {
    name: 'SHOW TBLPROPERTIES',
    page: 'show-tblproperties.html',
    before: [byDay, "ALTER TABLE logs SET TBLPROPERTIES ('a'='first', 'b'='second')"],
    rows: [['first']],
  },
  {
    name: 'SHOW VIEWS',
    page: 'show-views.html',
    before: [numbers, 'CREATE VIEW w AS SELECT a FROM t', 'CREATE VIEW v AS SELECT a FROM t'],
    rows: [['v'], ['w']],
  },
  {
    name: 'DESCRIBE',
    page: 'describe-table.html',
    before: [byDay],
    rows: [
      [[pad('time'), pad('timestamp'), pad('')].join('\t')],
      [[pad('level'), pad('string'), pad('')].join('\t')],
      [[pad('dt'), pad('string'), pad('')].join('\t')],
      ['\t \t '],
      ['# Partition Information\t \t '],
      [[pad('# col_name'), pad('data_type'), pad('comment')].join('\t')],
      ['\t \t '],
      [[pad('dt'), pad('string'), pad('')].join('\t')],
    ],
  },
  { name: 'DESCRIBE FORMATTED PARTITION', page: 'describe-table.html', refused: /DESCRIBE FORMATTED/ },
  { name: 'DESCRIBE EXTENDED col', page: 'describe-table.html', refused: /DESCRIBE EXTENDED/ },
  { name: 'EXPLAIN', page: 'athena-explain-statement.html', refused: /EXPLAIN/ },
  { name: 'EXPLAIN ANALYZE', page: 'athena-explain-statement.html', refused: /EXPLAIN/ },
  {
    name: 'PREPARE',
    page: 'sql-prepare.html',
    before: [numbers],
    objects: { 'c/x.csv': '1,one\n2,two\n' },
    rows: [],
    after: { "EXECUTE p1 USING 2, 'a'": [['2', 'two']] },
  },
  {
    name: 'EXECUTE USING',
    page: 'sql-execute.html',
    before: [
      "CREATE EXTERNAL TABLE t (a string, b int) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://b/c/'",
      'PREPARE p1 FROM SELECT * FROM t WHERE a = ? AND b > ?',
    ],
    objects: { 'c/x.csv': 'x,3\nx,4\ny,9\n' },
    rows: [['x', '4']],
  },
  {
    name: 'DEALLOCATE',
    page: 'sql-deallocate-prepare.html',
    before: ['PREPARE p1 FROM SELECT 1'],
    async check(athena) {
      const failed = await athena.failure('EXECUTE p1')
      if (!/^NOT_FOUND: Prepared statement not found: p1/.test(failed)) throw new Error(failed)
    },
  },
  { name: 'MERGE', page: 'merge-into-statement.html', refused: /Iceberg/ },
  { name: 'DELETE', page: 'delete-statement.html', refused: /Iceberg/ },
  { name: 'UPDATE', page: 'update-statement.html', refused: /Iceberg/ },
  { name: 'OPTIMIZE', page: 'optimize-statement.html', refused: /Iceberg/ },
  { name: 'VACUUM', page: 'vacuum-statement.html', refused: /Iceberg/ },
  {
    name: 'time travel',
    page: 'querying-iceberg-time-travel-and-version-travel-queries.html',
    refused: /FOR VERSION or FOR TIMESTAMP AS OF/,
  },
  {
    name: '"$path" + catalog',
    page: 'select.html',
    before: [byDay.replace('TABLE logs', 'TABLE t'), 'MSCK REPAIR TABLE t'],
    objects: { ...day, 'logs/dt=2024-02-01/y.csv': '2024-02-01 00:00:00,later\n' },
    rows: [
      ['s3://b/logs/dt=2024-01-01/x.csv', 'dt=2024-01-01'],
      ['s3://b/logs/dt=2024-01-01/x.csv', 'dt=2024-01-01'],
    ],
  },
  {
    name: 'table$partitions',
    page: 'show-partitions.html',
    before: [logs, "ALTER TABLE logs ADD PARTITION (dt='b', hour=1) PARTITION (dt='a', hour=2)"],
    rows: [
      ['a', '2'],
      ['b', '1'],
    ],
  },
  {
    name: 'positional params',
    page: 'querying-with-prepared-statements.html',
    before: ["CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (dt string) LOCATION 's3://b/c/'", 'MSCK REPAIR TABLE t'],
    objects: { 'c/dt=x/a': '1\n2\n3\n', 'c/dt=y/a': '1\n' },
    parameters: ["'x'", '1', '3'],
    rows: [
      ['1', 'x'],
      ['3', 'x'],
    ],
  },
  { name: 'semicolon + comment', page: 'select.html', rows: [['1']] },
  { name: 'UDF USING EXTERNAL FUNCTION', page: 'querying-udf.html', refused: /user-defined function/ },
]
