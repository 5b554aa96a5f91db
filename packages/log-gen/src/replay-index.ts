import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { type Column, type ColumnMap, ConfigError, PipeError, parseText } from '@pipe/core'
import { splitCsvLine } from './csv-line'

/** Recorded rows of all files, in the order of their time. */
export interface ReplayIndex {
  readonly devices: readonly string[]
  /** Milliseconds, ascending; equal times in the order of files and lines. */
  readonly times: Float64Array
  readonly deviceOf: Uint32Array
  /** Texts of the value columns of each row; `null` for an empty cell of a nullable column. */
  readonly cellsOf: readonly (readonly (string | null)[])[]
  /** SHA-256 over names and contents of the files. */
  readonly contentHash: string
}

/** How the columns of the files become those of the table. */
export interface ReplayColumns {
  readonly timeColumn: string
  readonly timeType: Column
  /** Column of the table and the column of the files it comes from. */
  readonly values: readonly { readonly name: string; readonly from: string; readonly column: ColumnMap[string] }[]
  readonly ignore: readonly string[]
}

/**
 * Reads and sorts recorded files, one device a file. Synchronous, as it happens once at the start.
 *
 * @throws {@link PipeError} `PIPE_REPLAY_ROW` with file and line for a row that cannot be read: recorded input is never changed silently.
 */
export function indexFiles(files: readonly string[], columns: ReplayColumns): ReplayIndex {
  const hash = createHash('sha256')
  const devices = files.map((file) => basename(file).replace(/\.csv$/i, ''))
  if (new Set(devices).size !== devices.length)
    throw new ConfigError('replayCsv: two files have the same name, so the same device.')
  const rows: { at: number; device: number; cells: readonly (string | null)[] }[] = []
  files.forEach((file, device) => {
    const bytes = readFileSync(file)
    hash.update(`${devices[device]}\n${bytes.length}\n`).update(bytes)
    readRows(file, decode(file, bytes), columns, (at, cells) => rows.push({ at, device, cells }))
  })
  // Stable: repeated stamps keep the order of files and lines.
  rows.sort((a, b) => a.at - b.at)
  return {
    devices,
    times: Float64Array.from(rows, ({ at }) => at),
    deviceOf: Uint32Array.from(rows, ({ device }) => device),
    cellsOf: rows.map(({ cells }) => cells),
    contentHash: hash.digest('hex'),
  }
}

function readRows(
  file: string,
  text: string,
  columns: ReplayColumns,
  take: (at: number, cells: readonly (string | null)[]) => void,
): void {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  const header = splitCsvLine(lines[0] ?? '') ?? []
  const placeOf = (name: string) => {
    const place = header.indexOf(name)
    if (place >= 0) return place
    throw new ConfigError(
      `replayCsv: ${file} has no column "${name}"; its first line is ${JSON.stringify((lines[0] ?? '').slice(0, 100))}.`,
      {
        hint: 'Name the columns of the files with "timeColumn" and "columns".',
      },
    )
  }
  const timePlace = placeOf(columns.timeColumn)
  const places = columns.values.map(({ from }) => placeOf(from))
  const surplus = header.find((name, place) => place !== timePlace && !places.includes(place) && !columns.ignore.includes(name))
  if (surplus !== undefined) {
    throw new ConfigError(`replayCsv: the column "${surplus}" of ${file} goes nowhere.`, {
      hint: 'Map it with "columns", or name it in "ignore".',
    })
  }
  for (let i = 1; i < lines.length; i++) {
    const fail = (reason: string): never => {
      throw new PipeError('PIPE_REPLAY_ROW', `${file} line ${i + 1}: ${reason}.`, {
        hint: 'Correct the file: recorded rows are replayed as they are, none is left out.',
        details: { file, line: i + 1 },
      })
    }
    const cells = splitCsvLine(lines[i] as string) ?? fail('the quotes are not those of CSV')
    if (cells.length !== header.length) fail(`${cells.length} cells under ${header.length} columns`)
    const time = parseText(columns.timeType.type, cells[timePlace] as string)
    const at = 'value' in time ? (time.value as Date).getTime() : fail(`"${columns.timeColumn}" ${time.reason}`)
    if (finerThan(columns.timeType, cells[timePlace] as string))
      fail(`"${columns.timeColumn}" has more digits than the column of the table`)
    take(
      at,
      columns.values.map(({ column, from }, v) => {
        const cell = cells[places[v] as number] as string
        if (cell === '' && column.isNullable) return null
        const value = parseText(column.type, cell)
        if ('reason' in value) fail(`"${from}" ${value.reason}`)
        return cell
      }),
    )
  }
}

/** Whether a stamp has digits of a second that the column would round away. */
function finerThan({ type }: Column, text: string): boolean {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? ''
  return type.kind === 'timestamp' && /[1-9]/.test(fraction.slice(type.precision))
}

function decode(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new PipeError('PIPE_REPLAY_ROW', `${file} is not UTF-8 text.`, { hint: 'Convert it first.', cause, details: { file } })
  }
}
