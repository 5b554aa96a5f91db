import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** A statement with `?` that is kept in a workgroup. */
export interface PreparedStatement {
  readonly workgroup: string
  readonly name: string
  readonly sql: string
  readonly description: string | undefined
  readonly changedAt: number
}

/** Prepared statements by workgroup and name, kept in a file. Names differ by case. */
export interface PreparedStatements {
  get(workgroup: string, name: string): PreparedStatement | undefined
  /** Those of a workgroup, by name. */
  list(workgroup: string): readonly PreparedStatement[]
  put(statement: PreparedStatement): void
  /** Whether it was there. */
  delete(workgroup: string, name: string): boolean
}

/** Most that a workgroup holds. @see Athena User Guide, "Service quotas" */
export const maxPreparedStatements = 1000

/** Opens the prepared statements of a file, which is made when the first is put. */
export function openPreparedStatements(file: string): PreparedStatements {
  const stored = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as PreparedStatement[]) : []
  const key = (workgroup: string, name: string) => JSON.stringify([workgroup, name])
  const all = new Map(stored.map((statement) => [key(statement.workgroup, statement.name), statement]))
  const save = () => {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(`${file}.next`, JSON.stringify([...all.values()], null, 2))
    renameSync(`${file}.next`, file)
  }
  return {
    get: (workgroup, name) => all.get(key(workgroup, name)),
    list: (workgroup) => {
      const own = [...all.values()].filter((statement) => statement.workgroup === workgroup)
      return own.sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    put(statement) {
      all.set(key(statement.workgroup, statement.name), statement)
      save()
    },
    delete(workgroup, name) {
      const found = all.delete(key(workgroup, name))
      if (found) save()
      return found
    },
  }
}
