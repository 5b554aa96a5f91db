// What `npx @pipe/create my-pipeline` makes, from the tarballs: it installs, runs and passes its own test.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must } from '../setup.mjs'

/** @param own For each package name the `file:` path of its tarball. */
export async function tryCreated(own) {
  const parent = mkdtempSync(join(tmpdir(), 'pipe-created-'))
  const remove = () => rmSync(parent, { recursive: true, force: true })
  // A command that fails ends this process at once.
  process.once('exit', remove)
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] }
  const npm = (args, cwd) => must('npm', [...args, '--loglevel=error'], { cwd, ...quiet })
  try {
    // As npx does it: the package in a folder of its own, and its one command.
    writeFileSync(
      join(parent, 'package.json'),
      JSON.stringify({ private: true, dependencies: { '@pipe/create': own['@pipe/create'] }, overrides: own }),
    )
    await npm(['install', '--prefer-offline', '--no-audit', '--no-fund'], parent)
    await must('npx', ['pipe-create', 'my-pipeline'], { cwd: parent, ...quiet })
    const folder = join(parent, 'my-pipeline')
    const path = join(folder, 'package.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8'))
    // Sister packages name each other by version, which no registry has yet.
    const dependencies = Object.fromEntries(
      Object.entries(manifest.dependencies).map(([name, version]) => [name, own[name] ?? version]),
    )
    writeFileSync(path, JSON.stringify({ ...manifest, dependencies, overrides: own }))
    await npm(['install', '--prefer-offline', '--no-audit', '--no-fund'], folder)
    await npm(['start'], folder)
    await npm(['test'], folder)
    console.log('ok  npx @pipe/create my-pipeline: npm install, npm start and npm test in it')
  } finally {
    process.removeListener('exit', remove)
    remove()
  }
}
