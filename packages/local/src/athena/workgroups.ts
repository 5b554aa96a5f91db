import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** A workgroup: a name and where results go by default. */
export interface Workgroup {
  readonly name: string
  readonly description: string | undefined
  /** `s3://bucket/prefix/` */
  readonly outputLocation: string | undefined
  /** The workgroup's location wins over the client's, and a CTAS may not choose its own. */
  readonly enforced: boolean
  /** BytesScannedCutoffPerQuery. */
  readonly maxScannedBytes?: number | undefined
  readonly createdAt: number
}

/** Workgroups by name, kept in a file. `primary` always exists. */
export interface Workgroups {
  get(name: string): Workgroup | undefined
  all(): readonly Workgroup[]
  put(workgroup: Workgroup): void
  delete(name: string): void
}

/** Opens the workgroups of a file (created when it changes). */
export function openWorkgroups(options: {
  readonly file: string
  readonly now: () => number
  readonly outputLocation: string | undefined
}): Workgroups {
  const { file } = options
  const stored = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Workgroup[]) : []
  const byName = new Map(stored.map((workgroup) => [workgroup.name, workgroup]))
  const primary = byName.get('primary')
  if (!primary || (options.outputLocation !== undefined && primary.outputLocation === undefined)) {
    const { outputLocation } = options
    byName.set('primary', {
      name: 'primary',
      description: undefined,
      enforced: false,
      createdAt: options.now(),
      ...primary,
      outputLocation,
    })
  }
  const save = () => {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(`${file}.next`, JSON.stringify([...byName.values()], null, 2))
    renameSync(`${file}.next`, file)
  }
  return {
    get: (name) => byName.get(name),
    all: () => [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    put(workgroup) {
      byName.set(workgroup.name, workgroup)
      save()
    },
    delete(name) {
      byName.delete(name)
      save()
    },
  }
}
