import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { windowStart } from './table'

export const fileCount = 5000
export const linesPerFile = 250
const devices = 100

/** The device whose lines are spoiled: one of a hundred, so one line of a hundred. */
export const spoiledDevice = 'device-007'

const spoil: readonly ((line: string) => string)[] = [
  (line) => line.replace(/"metric":.*\}/, '"metric":"n/a"}'),
  (line) => line.slice(0, 40),
  (line) => `${line.slice(0, -1)},"extra":1}`,
  (line) => `${line.slice(0, -1)},"metric":1}`,
]

/** The files of a window. Deterministic: the same bytes in every run. */
export function writeFiles(folder: string, isSpoiled: boolean, files = fileCount): void {
  mkdirSync(folder)
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  for (let file = 0; file < files; file++) {
    let text = ''
    for (let i = 0; i < linesPerFile; i++) {
      const number = file * linesPerFile + i
      const timestamp = new Date(windowStart + ((number * 37) % 300_000)).toISOString().replace('T', ' ').replace('Z', '')
      const device = `device-${String(number % devices).padStart(3, '0')}`
      const line = JSON.stringify({ timestamp, device_name: device, metric: random() * 100 })
      text += `${isSpoiled && device === spoiledDevice ? spoil[Math.floor(number / devices) % spoil.length]!(line) : line}\n`
    }
    const name = `device_logs-20261124T1530Z-${String(file).padStart(4, '0')}of5000-0badcafe.ndjson.gz`
    writeFileSync(join(folder, name), gzipSync(text))
  }
}
