// Part of npm run typecheck: every TypeScript block of a package's README must compile as it stands.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { publicPackages, root } from './setup.mjs'

/** Below the package, so that its own dependencies are found, and in a folder that nothing else reads. */
const folderOf = (name) => join(root, 'packages', name, 'node_modules', '.cache', 'readme')

const examples = new Map()
for (const name of publicPackages()) {
  const readme = join(root, 'packages', name, 'README.md')
  if (!existsSync(readme)) continue
  const text = readFileSync(readme, 'utf8')
  mkdirSync(folderOf(name), { recursive: true })
  for (const [i, block] of [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].entries()) {
    const file = join(folderOf(name), `example-${i + 1}.ts`)
    writeFileSync(file, `${block[1]}\nexport {}\n`)
    examples.set(file, { readme, line: text.slice(0, block.index).split('\n').length })
  }
}
const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
const program = ts.createProgram([...examples.keys()], { ...options, noEmit: true, noUnusedLocals: false })
let wrong = 0
for (const [file, { readme, line }] of examples) {
  const source = program.getSourceFile(file)
  for (const { start, messageText } of [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]) {
    const at = line + 1 + source.getLineAndCharacterOfPosition(start ?? 0).line
    console.error(`${readme}:${at}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
    wrong++
  }
}
for (const name of publicPackages()) rmSync(folderOf(name), { recursive: true, force: true })
console.log(`${examples.size} examples of READMEs, ${wrong} mistakes`)
if (examples.size === 0 || wrong > 0) process.exitCode = 1
