// Every link inside the built pages: the file it names must exist, and so must the place in it.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const unescaped = (text) => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'")

function* addressesOf(html) {
  for (const [, address] of html.matchAll(/\s(?:href|src)="([^"]*)"/g)) yield unescaped(address)
}

/** @returns How many links were looked at, and those that lead nowhere. */
export function checkLinks(site) {
  const pages = readdirSync(site, { recursive: true }).filter((name) => name.endsWith('.html'))
  const places = new Map()
  const placesOf = (file) => {
    if (!places.has(file))
      places.set(file, new Set([...readFileSync(file, 'utf8').matchAll(/\sid="([^"]*)"/g)].map(([, id]) => unescaped(id))))
    return places.get(file)
  }
  const dead = []
  let links = 0
  for (const page of pages) {
    const file = join(site, page)
    for (const address of addressesOf(readFileSync(file, 'utf8'))) {
      if (/^(https?|mailto|data):/.test(address)) continue
      links++
      const [path, place] = address.split('#')
      const target = path === '' ? file : join(dirname(file), decodeURIComponent(path.split('?')[0]))
      if (!existsSync(target) || !statSync(target).isFile()) dead.push(`${page}: ${address} (no such file)`)
      else if (place && target.endsWith('.html') && !placesOf(target).has(decodeURIComponent(place)))
        dead.push(`${page}: ${address} (no such place in ${relative(site, target)})`)
    }
  }
  return { pages, links, dead }
}
