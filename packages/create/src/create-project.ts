import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '@pipe/core'

/** What {@link createProject} takes. */
export interface CreateProjectOptions {
  /** Folder of the project; made when it is not there, refused when something is in it. Its last name is the name of the package. */
  readonly folder: string
  /** Versions of the `@pipe` packages in its manifest, for instance `file:` paths of tarballs. Default: the release of this package. */
  readonly versions?: Readonly<Record<string, string>> | undefined
}

/** What was made. */
export interface CreatedProject {
  /** Whole path of the folder. */
  readonly folder: string
  /** Name in its `package.json`. */
  readonly name: string
  /** Paths of the files, relative to the folder, sorted. */
  readonly files: readonly string[]
}

/** Names that npm takes for a package without a scope. */
const packageName = /^[a-z0-9][a-z0-9._-]{0,213}$/

/**
 * Makes a small log pipeline: two Lambda handlers, their table contract and policies, an hour of it on the local runtime
 * (`npm start`), and a test against the generator's ground truth (`npm test`). Writes into an empty folder only; installs nothing.
 *
 * @throws {@link ConfigError} `PIPE_CREATE_NAME` for a name that npm does not take, `PIPE_CREATE_FOLDER` for a folder that is not empty.
 * @example
 * ```ts
 * const { files } = await createProject({ folder: './my-pipeline' })
 * ```
 */
export async function createProject(options: CreateProjectOptions): Promise<CreatedProject> {
  const folder = resolve(options.folder)
  const name = basename(folder)
  if (!packageName.test(name)) {
    throw new ConfigError(`"${name}" cannot be the name of a package.`, {
      code: 'PIPE_CREATE_NAME',
      hint: 'Take small letters, digits, "-", "_" and ".", beginning with a letter or a digit.',
    })
  }
  await refuseUsed(folder)
  await mkdir(folder, { recursive: true })
  await cp(fileURLToPath(new URL('../template/', import.meta.url)), folder, { recursive: true })
  // npm leaves a .gitignore out of every tarball, so it has another name in the template.
  await rename(join(folder, 'gitignore'), join(folder, '.gitignore'))
  await writeManifest(folder, name, options.versions ?? {})
  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
  return { folder, name, files }
}

async function refuseUsed(folder: string): Promise<void> {
  let found: string[]
  try {
    found = await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw new ConfigError(`${folder} cannot be used: ${(error as Error).message}.`, { code: 'PIPE_CREATE_FOLDER', cause: error })
  }
  if (found.length === 0) return
  throw new ConfigError(`${folder} is not empty (${found.slice(0, 3).join(', ')}${found.length > 3 ? ', …' : ''}).`, {
    code: 'PIPE_CREATE_FOLDER',
    hint: 'Give the name of a folder that is not there yet.',
  })
}

/** The template names no version of our packages: they are those of this one's release. */
async function writeManifest(folder: string, name: string, versions: Readonly<Record<string, string>>): Promise<void> {
  const own = JSON.parse(await readFile(fileURLToPath(new URL('../package.json', import.meta.url)), 'utf8')) as {
    version: string
  }
  const path = join(folder, 'package.json')
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown> & { dependencies: Record<string, string> }
  const dependencies = Object.fromEntries(
    Object.entries(manifest.dependencies).map(([dependency, version]) => [
      dependency,
      dependency.startsWith('@pipe/') ? (versions[dependency] ?? `^${own.version}`) : version,
    ]),
  )
  await writeFile(path, `${JSON.stringify({ ...manifest, name, dependencies }, null, 2)}\n`)
}
