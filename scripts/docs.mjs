// npm run docs [-- --browser]: the reference and the guides as pages in docs/api. Warnings, dead links and exports without a docstring end it with 1.
// --browser also opens them in a headless Chromium.
import { buildReference, site } from './docs/build.mjs'
import { coverage } from './docs/coverage.mjs'
import { checkLinks } from './docs/links.mjs'
import { setUp } from './setup.mjs'

await setUp()
const { project, mistakes } = await buildReference()
let failed = mistakes

for (const [what, { all, undocumented }] of Object.entries(coverage(project))) {
  const documented = all - undocumented.length
  console.log(`documented ${what}: ${documented} of ${all} (${((100 * documented) / all).toFixed(1)} %)`)
  for (const name of undocumented) console.error(`  without a docstring: ${name}`)
  failed += undocumented.length
}

const { pages, links, dead } = checkLinks(site)
console.log(`links: ${links} on ${pages.length} pages, ${dead.length} dead`)
for (const link of dead) console.error(`  ${link}`)
failed += dead.length

if (failed === 0 && process.argv.includes('--browser')) {
  const { openInBrowser } = await import('./docs/browser.mjs')
  failed += await openInBrowser(site, pages)
}
console.log(failed === 0 ? `docs: ok (${site}/index.html)` : `docs: ${failed} mistakes`)
process.exitCode = failed === 0 ? 0 : 1
