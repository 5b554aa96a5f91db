// The Chromium of the machine, headless, without its sandbox when run by root (where it has none).
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

function executable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'EACCES' || error.code === 'ENOTDIR') return false
    throw error
  }
}

/** @returns Where Chromium is: what CHROMIUM names, else what the path holds; undefined when there is none. */
export function chromiumPath() {
  const named = process.env.CHROMIUM
  if (named) return named
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(executable)
}

/** @throws Error when no Chromium is on the path. */
export async function launchChromium() {
  const executablePath = chromiumPath()
  if (!executablePath)
    throw new Error('No Chromium on the path: install it (Debian: apt-get install chromium), or name it in CHROMIUM.')
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({ executablePath, args, headless: true })
}
