// The built pages in a headless Chromium, served on loopback: no console error, no request that fails, and a search that finds.

import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { launchChromium } from '../chromium.mjs'

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
}

/** Serves a folder on a free port of 127.0.0.1. */
export async function serve(folder) {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://127.0.0.1').pathname)
    const file = join(folder, normalize(path.endsWith('/') ? `${path}index.html` : path))
    if (!file.startsWith(folder) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' })
    createReadStream(file).pipe(response)
  })
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return server
}

/** What went wrong on a page, as one sentence each. */
function watch(page) {
  const wrong = []
  const note = (text) => wrong.push(`${page.url()}: ${text}`)
  page.on('console', (message) => message.type() === 'error' && note(message.text()))
  page.on('pageerror', (error) => note(error.message))
  page.on('requestfailed', (request) => note(`${request.url()} failed: ${request.failure()?.errorText}`))
  page.on('response', (response) => response.status() >= 400 && note(`${response.url()} answered ${response.status()}`))
  return wrong
}

/** Types a name into the search and follows the first result. */
async function search(page, name) {
  await page.locator('#tsd-search-trigger').click()
  await page.locator('#tsd-search-input').fill(name)
  const results = page.locator('#tsd-search-results li a')
  await results.first().waitFor({ timeout: 60_000 })
  const texts = await results.allTextContents()
  const found = texts.findIndex((text) => text.includes(name))
  if (found < 0) return undefined
  await results.nth(found).click()
  await page.waitForLoadState('load')
  return page.locator('h1').first().textContent()
}

/** @returns How many mistakes there were; each is printed. */
export async function openInBrowser(site, pages) {
  const server = await serve(site)
  const browser = await launchChromium()
  try {
    const address = `http://127.0.0.1:${server.address().port}/`
    const page = await browser.newPage()
    const wrong = watch(page)
    // Every document and module, and one page of each other kind: those are made by the same template.
    const kinds = new Map(pages.map((name) => [name.split('/')[0], name]))
    const opened = new Set([...pages.filter((name) => /^(documents|modules|[^/]+$)/.test(name)), ...kinds.values()])
    for (const name of opened) {
      await page.goto(address + name, { waitUntil: 'load', timeout: 60_000 })
      if ((await page.title()) === '') wrong.push(`${name}: no title`)
    }
    await page.goto(address, { waitUntil: 'load' })
    const heading = await search(page, 'defineTable')
    if (!heading?.includes('defineTable')) wrong.push(`the search for defineTable led to ${heading ?? 'nothing'}`)
    for (const text of wrong) console.error(`  ${text}`)
    console.log(
      `browser: ${opened.size} pages opened in Chromium ${browser.version()}, search led to "${heading}", ${wrong.length} mistakes`,
    )
    return wrong.length
  } finally {
    await browser.close()
    server.close()
  }
}
