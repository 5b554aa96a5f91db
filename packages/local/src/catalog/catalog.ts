import { join } from 'node:path'
import type { CatalogChange, CatalogDatabase, CatalogPartition, CatalogTable } from './catalog-entry'
import { openJournal } from './journal'

/**
 * The data catalogue (Glue's role): databases, tables and partitions. Every method is synchronous, so a check and the change that
 * follows it are one step whatever else the runtime does at the same time. Names are lower case.
 */
export interface Catalog {
  /** All databases by name. */
  databases(): readonly CatalogDatabase[]
  database(name: string): CatalogDatabase | undefined
  /** `false`, and nothing changed, when the name is taken. */
  createDatabase(database: CatalogDatabase): boolean
  /** Drops the database with all its tables; `false` when there is none. */
  dropDatabase(name: string): boolean
  /** Tables of a database by name. */
  tables(database: string): readonly CatalogTable[]
  table(database: string, name: string): CatalogTable | undefined
  /** `false`, and nothing changed, when the name is taken or the database does not exist. */
  createTable(table: CatalogTable): boolean
  /** Gives a table another definition, its partitions stay; `false` when there is none of that name. */
  alterTable(table: CatalogTable): boolean
  /** Drops the table with its partitions; `false` when there is none. */
  dropTable(database: string, name: string): boolean
  /** Partitions in the order of their values. */
  partitions(database: string, table: string): readonly CatalogPartition[]
  partition(database: string, table: string, values: readonly string[]): CatalogPartition | undefined
  /** Adds those that are not there yet, all in one step. Returns the ones added. */
  addPartitions(database: string, table: string, partitions: readonly CatalogPartition[]): readonly CatalogPartition[]
  /** Drops those that are there. Returns how many. */
  dropPartitions(database: string, table: string, values: readonly (readonly string[])[]): number
  /** Puts a partition in the place of another; `false` when that one is not there, or its new values are taken. */
  alterPartition(database: string, table: string, values: readonly string[], partition: CatalogPartition): boolean
}

interface TableEntry {
  readonly table: CatalogTable
  readonly partitions: Map<string, CatalogPartition>
  sorted: readonly CatalogPartition[] | undefined
}

interface DatabaseEntry {
  readonly database: CatalogDatabase
  readonly tables: Map<string, TableEntry>
}

/** More dead lines than this in the journal, and opening it writes it anew. */
const rewriteAfterChanges = 1000

const partitionKey = (values: readonly string[]) => JSON.stringify(values)

/**
 * Opens the catalogue kept in `dir` (file `catalog.jsonl`); a database `default` always exists, as in an account that has used Athena.
 *
 * @throws {@link PipeError} `PIPE_LOCAL_CATALOG` when the file is damaged.
 */
export function openCatalog(options: { readonly dir: string; readonly now: () => number }): Catalog {
  const journal = openJournal(join(options.dir, 'catalog.jsonl'))
  const databases = new Map<string, DatabaseEntry>()
  for (const change of journal.changes) apply(databases, change)
  if (journal.changes.length > rewriteAfterChanges) journal.rewrite(snapshot(databases))

  const commit = (change: CatalogChange) => {
    journal.append(change)
    apply(databases, change)
  }
  const entryOf = (database: string, table: string) => databases.get(database)?.tables.get(table)

  if (!databases.has('default')) {
    commit({ kind: 'database-created', database: { name: 'default', properties: {}, createdAt: options.now() } })
  }

  return {
    databases: () => byName([...databases.values()].map((entry) => entry.database)),
    database: (name) => databases.get(name)?.database,
    createDatabase(database) {
      if (databases.has(database.name)) return false
      commit({ kind: 'database-created', database })
      return true
    },
    dropDatabase(name) {
      if (!databases.has(name)) return false
      commit({ kind: 'database-dropped', name })
      return true
    },
    tables: (database) => byName([...(databases.get(database)?.tables.values() ?? [])].map((entry) => entry.table)),
    table: (database, name) => entryOf(database, name)?.table,
    createTable(table) {
      const database = databases.get(table.database)
      if (!database || database.tables.has(table.name)) return false
      commit({ kind: 'table-created', table })
      return true
    },
    alterTable(table) {
      if (!entryOf(table.database, table.name)) return false
      commit({ kind: 'table-altered', table })
      return true
    },
    dropTable(database, name) {
      if (!entryOf(database, name)) return false
      commit({ kind: 'table-dropped', database, name })
      return true
    },
    partitions(database, table) {
      const entry = entryOf(database, table)
      if (!entry) return []
      entry.sorted ??= [...entry.partitions.values()].sort((a, b) => compareValues(a.values, b.values))
      return entry.sorted
    },
    partition: (database, table, values) => entryOf(database, table)?.partitions.get(partitionKey(values)),
    addPartitions(database, table, partitions) {
      const entry = entryOf(database, table)
      if (!entry) return []
      const fresh = new Map<string, CatalogPartition>()
      for (const partition of partitions) {
        const key = partitionKey(partition.values)
        if (!entry.partitions.has(key) && !fresh.has(key)) fresh.set(key, partition)
      }
      const added = [...fresh.values()]
      if (added.length > 0) commit({ kind: 'partitions-added', database, table, partitions: added })
      return added
    },
    dropPartitions(database, table, values) {
      const entry = entryOf(database, table)
      const there = values.filter((one) => entry?.partitions.has(partitionKey(one)))
      if (there.length > 0) commit({ kind: 'partitions-dropped', database, table, values: there })
      return there.length
    },
    alterPartition(database, table, values, partition) {
      const partitions = entryOf(database, table)?.partitions
      const before = partitionKey(values)
      const after = partitionKey(partition.values)
      if (!partitions?.has(before) || (after !== before && partitions.has(after))) return false
      commit({ kind: 'partition-altered', database, table, values, partition })
      return true
    },
  }
}

function apply(databases: Map<string, DatabaseEntry>, change: CatalogChange): void {
  switch (change.kind) {
    case 'database-created':
      databases.set(change.database.name, { database: change.database, tables: new Map() })
      break
    case 'database-dropped':
      databases.delete(change.name)
      break
    case 'table-created':
      databases
        .get(change.table.database)
        ?.tables.set(change.table.name, { table: change.table, partitions: new Map(), sorted: undefined })
      break
    case 'table-altered': {
      const tables = databases.get(change.table.database)?.tables
      const entry = tables?.get(change.table.name)
      if (entry) tables?.set(change.table.name, { ...entry, table: change.table })
      break
    }
    case 'table-dropped':
      databases.get(change.database)?.tables.delete(change.name)
      break
    case 'partition-altered': {
      const entry = databases.get(change.database)?.tables.get(change.table)
      if (!entry) break
      entry.sorted = undefined
      entry.partitions.delete(partitionKey(change.values))
      entry.partitions.set(partitionKey(change.partition.values), change.partition)
      break
    }
    case 'partitions-added':
    case 'partitions-dropped': {
      const entry = databases.get(change.database)?.tables.get(change.table)
      if (!entry) break
      entry.sorted = undefined
      if (change.kind === 'partitions-dropped') for (const values of change.values) entry.partitions.delete(partitionKey(values))
      else for (const partition of change.partitions) entry.partitions.set(partitionKey(partition.values), partition)
    }
  }
}

function snapshot(databases: Map<string, DatabaseEntry>): CatalogChange[] {
  const changes: CatalogChange[] = []
  for (const { database, tables } of databases.values()) {
    changes.push({ kind: 'database-created', database })
    for (const { table, partitions } of tables.values()) {
      changes.push({ kind: 'table-created', table })
      if (partitions.size > 0) {
        changes.push({
          kind: 'partitions-added',
          database: table.database,
          table: table.name,
          partitions: [...partitions.values()],
        })
      }
    }
  }
  return changes
}

function byName<T extends { readonly name: string }>(entries: T[]): T[] {
  return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

function compareValues(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i++) {
    const left = a[i] as string
    const right = b[i] as string
    if (left !== right) return left < right ? -1 : 1
  }
  return 0
}
