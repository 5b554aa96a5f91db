// Part of npm run typecheck: every TypeScript block of a package's README and of the guides must compile as it stands. A block below
// `<!-- from FILE#REGION -->` must be that region of a tested file, word for word; with --write it is made so.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import ts from 'typescript'
import { publicPackages, root } from './setup.mjs'

/** Below the package, so that its own dependencies are found, and in a folder that nothing else reads. */
const folderOf = (name) => join(root, 'packages', name, 'node_modules', '.cache', 'readme')

/** Where an example of a guide finds all packages. */
const guideFolder = join(root, 'examples', 'log-pipeline', 'node_modules', '.cache', 'guides')
const guides = readdirSync(join(root, 'docs', 'guides')).map((name) => join(root, 'docs', 'guides', name))
const documents = [
  ...publicPackages().map((name) => ({ readme: join(root, 'packages', name, 'README.md'), folder: folderOf(name) })),
  ...[...guides, join(root, 'README.md'), join(root, 'README.ko.md')].map((readme) => ({
    readme,
    folder: join(guideFolder, basename(readme, '.md')),
  })),
]

/** The lines between `// #region NAME` and `// #endregion NAME`. */
function regionOf(path, name) {
  const text = readFileSync(join(root, path), 'utf8')
  const found = new RegExp(`^// #region ${name}\\n([\\s\\S]*?)^// #endregion ${name}$`, 'm').exec(text)
  if (!found) throw new Error(`${path} has no region "${name}"`)
  return found[1]
}

let wrong = 0
/** Blocks that stand in a tested file are compared with it, and need no compiling of their own. */
function checkRegions(readme, text) {
  return text.replace(/^<!-- from (\S+)#(\S+) -->\n```ts\n([\s\S]*?)^```/gm, (all, path, name, block) => {
    const region = regionOf(path, name)
    if (block === region) return all
    if (!process.argv.includes('--write')) {
      console.error(`${readme}: the example is not region ${name} of ${path}: node scripts/readme-examples.mjs --write`)
      wrong++
    }
    return `<!-- from ${path}#${name} -->\n\`\`\`ts\n${region}\`\`\``
  })
}

const examples = new Map()
for (const { readme, folder } of documents) {
  if (!existsSync(readme)) continue
  const text = checkRegions(readme, readFileSync(readme, 'utf8'))
  if (process.argv.includes('--write')) writeFileSync(readme, text)
  mkdirSync(folder, { recursive: true })
  for (const [i, block] of [...text.matchAll(/^(?!<!-- from).*\n```ts\n([\s\S]*?)^```/gm)].entries()) {
    const file = join(folder, `example-${i + 1}.ts`)
    writeFileSync(file, `${block[1]}\nexport {}\n`)
    examples.set(file, { readme, line: text.slice(0, block.index).split('\n').length })
  }
}
const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
const program = ts.createProgram([...examples.keys()], { ...options, noEmit: true, noUnusedLocals: false })
for (const [file, { readme, line }] of examples) {
  const source = program.getSourceFile(file)
  for (const { start, messageText } of [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]) {
    const at = line + 1 + source.getLineAndCharacterOfPosition(start ?? 0).line
    console.error(`${readme}:${at}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
    wrong++
  }
}
for (const { folder } of documents) rmSync(folder, { recursive: true, force: true })
rmSync(guideFolder, { recursive: true, force: true })
console.log(`${examples.size} examples of READMEs and guides, ${wrong} mistakes`)
if (examples.size === 0 || wrong > 0) process.exitCode = 1
