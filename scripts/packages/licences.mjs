// Licences of what the published packages bring along: permissive ones only.
import { spawnSync } from 'node:child_process'
import { pnpmVersion, root } from '../setup.mjs'

const permissive = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT', 'MIT-0'])

/** @returns Whether all are permissive; prints which packages have which. */
export function checkLicences() {
  const args = ['--yes', `pnpm@${pnpmVersion}`, 'licenses', 'list', '--prod', '--json', '--filter', './packages/*']
  const { status, stdout, stderr } = spawnSync('npx', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (status !== 0) throw new Error(`pnpm licenses ended with ${status}:\n${stderr}`)
  let good = true
  for (const [licence, packages] of Object.entries(JSON.parse(stdout))) {
    const names = [...new Set(packages.map(({ name }) => name))].filter((name) => !name.startsWith('@pipe/')).sort()
    if (names.length === 0) continue
    const allowed = permissive.has(licence)
    good &&= allowed
    console.log(`licence ${licence}${allowed ? '' : ' (NOT ALLOWED)'}: ${names.join(', ')}`)
  }
  return good
}
