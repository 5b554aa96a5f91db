// The reference: one program over the sources of all public packages, their READMEs as module pages, docs/ as documents beside them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Application, Converter, DocumentReflection, MinimalSourceFile, ReflectionKind } from 'typedoc'
import { publicPackages, root } from '../setup.mjs'

export const site = join(root, 'docs', 'api')

/** Every path of every public package that can be imported: its source, its name, the README that introduces it. */
function entries() {
  return publicPackages().flatMap((folder) => {
    const at = join(root, 'packages', folder)
    const { name, version, exports } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'))
    return Object.entries(exports).flatMap(([path, conditions]) =>
      conditions['pipe-source']
        ? [
            {
              source: join(at, conditions['pipe-source']),
              name: name + path.slice(1),
              version,
              readme: path === '.' ? join(at, 'README.md') : undefined,
            },
          ]
        : [],
    )
  })
}

/** Guides first; what follows is for those who want to know more. */
const documents = ['docs/guides', '.', 'docs', 'docs/decisions'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md') && (folder !== '.' || name === 'README.ko.md'))
    .map((name) => join(root, folder, name)),
)

/** A folder has no page: links to a package go to its module, links to other folders become what they say. */
function withModuleLinks(text) {
  const toPackage = /\[([^\]]+)\]\((?:\.{1,2}\/)*(?:packages\/)?([\w-]+)(?:\/|\/README\.md(?:#[\w-]*)?)?\)/g
  const toFolder = /\[([^\]]+)\]\((?:\.{1,2}\/)*examples\/[\w-]+(?:\/|\/README\.md)?\)/g
  return text
    .replace(toPackage, (link, label, name) =>
      publicPackages().includes(name)
        ? `{@${label.includes('`') ? 'linkcode' : 'link'} @pipe/${name}! | ${label.replaceAll('`', '')}}`
        : link,
    )
    .replace(toFolder, (_link, label) => label)
}

function textOf(app, project, path) {
  const file = new MinimalSourceFile(withModuleLinks(readFileSync(path, 'utf8')), path)
  return app.converter.parseRawComment(file, project.files).content
}

/** Not by the option `projectDocuments`, which would name a document by its path. */
function addDocument(project, path, content) {
  const title = /^# (.+)$/m.exec(readFileSync(path, 'utf8'))?.[1]
  if (!title) throw new Error(`${path} has no heading of the first level`)
  const document = new DocumentReflection(title.replaceAll('`', ''), project, content, {})
  project.addChild(document)
  project.registerReflection(document, undefined, path)
}

/** Modules are called what one imports; documents what their first heading says. */
function nameReflections(app, modules) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    project.readme = textOf(app, project, join(root, 'README.md'))
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      const source = project.getSymbolIdFromReflection(module)?.fileName
      const entry = modules.find((candidate) => candidate.source === source)
      if (!entry) throw new Error(`typedoc made a module "${module.name}" that no package exports (${source})`)
      module.name = entry.name
      module.packageVersion = entry.version
      if (entry.readme) module.readme = textOf(app, project, entry.readme)
    }
    for (const path of documents) addDocument(project, path, textOf(app, project, path))
  })
}

/** `{@link ConfigError}` means core's, also in a file that does not import it: a name that the packages export once needs no import. */
function linkByName(app) {
  app.converter.addUnknownSymbolResolver((reference, reflection, part) => {
    const name = reference.symbolReference?.path?.[0]?.path
    if (!part || !name) return undefined
    const found = reflection.project.children.flatMap((module) => module.children ?? []).filter((child) => child.name === name)
    const declared = found.filter((child) => !child.kindOf(ReflectionKind.Reference))
    return declared.length === 1 ? { target: declared[0] } : undefined
  })
}

/** @returns The project, after every warning has been counted and the pages have been written to docs/api. */
export async function buildReference() {
  const modules = entries()
  const app = await Application.bootstrap({
    name: '@pipe',
    entryPoints: modules.map(({ source }) => source),
    readme: 'none',
    tsconfig: join(root, 'tsconfig.src.json'),
    basePath: root,
    out: site,
    // Without one a browser asks for /favicon.ico, and complains.
    favicon: join(root, 'docs', 'favicon.svg'),
    // What does not compile is the business of `npm run typecheck`.
    skipErrorChecking: true,
    // No address of a repository to link into.
    disableSources: true,
    excludeExternals: true,
    excludePrivate: true,
    includeVersion: false,
    // Without this an example's own text would be printed as code.
    jsDocCompatibility: { exampleTag: false },
    highlightLanguages: ['typescript', 'javascript', 'json', 'bash', 'sh', 'python', 'sql', 'hcl'],
    searchInComments: true,
    searchInDocuments: true,
    validation: { notExported: true, invalidLink: true, invalidPath: true, rewrittenLink: true },
    navigation: { includeCategories: true, includeGroups: false },
    treatWarningsAsErrors: true,
  })
  nameReflections(app, modules)
  linkByName(app)
  const project = await app.convert()
  if (!project) throw new Error('typedoc could not read the sources (see above).')
  app.validate(project)
  await app.generateDocs(project, site)
  return { project, mistakes: app.logger.errorCount + app.logger.warningCount }
}
