import { closeSync, openSync, writeSync } from 'node:fs'

/** Columns of the measured result, all as Athena writes them. */
export const names = ['id', 'at', 'device_name', 'metric', 'value', 'count', 'ok', 'day', 'amount', 'msg'] as const

const cell = (text: string | null) => (text === null ? '' : `"${text.replaceAll('"', '""')}"`)
const pad = (value: number, width: number) => String(value).padStart(width, '0')

/**
 * Writes a result of Athena: every value quoted, one in five values of a column NULL, 2 % empty texts, 5 % with quotes and commas, 3 % with line
 * feeds. Deterministic: the same bytes in every run.
 */
export function writeResultCsv(file: string, rows: number): void {
  let state = 42
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const handle = openSync(file, 'w')
  let text = `${names.map(cell).join(',')}\n`
  for (let i = 0; i < rows; i++) {
    const kind = random()
    const msg =
      kind < 0.02
        ? ''
        : kind < 0.07
          ? `said "hello, world", then left ${i} times`
          : kind < 0.1
            ? `line one of ${i}\nline two of it all`
            : `request ${i} handled by worker ${i % 16} in ${i % 997} ms, status ok`
    const row = [
      String(i),
      `2026-11-24 ${pad(Math.floor(i / 3600) % 24, 2)}:${pad(Math.floor(i / 60) % 60, 2)}:${pad(i % 60, 2)}.${pad(i % 1000, 3)}`,
      `device-${i % 1000}`,
      ['temperature', 'humidity', 'pressure'][i % 3]!,
      random() < 0.2 ? null : (random() * 40).toFixed(2),
      String(Math.floor(random() * 1e6)),
      String(random() < 0.5),
      `2026-11-${pad(1 + (i % 28), 2)}`,
      (random() * 1000).toFixed(2),
      msg,
    ]
    text += `${row.map(cell).join(',')}\n`
    if (text.length > 1 << 20) {
      writeSync(handle, text)
      text = ''
    }
  }
  writeSync(handle, text)
  closeSync(handle)
}
