import { nullDraw } from './cell'

/** Values of a flat Parquet column for the rows of a row group, as numbers: no value is an object of its own. */
export interface FlatColumn {
  /** Whole numbers, or places in `texts`; {@link nullDraw} for null. */
  readonly values: Float64Array
  /** A number of the column is the whole number divided by this. */
  readonly power: number
  /** Of a column of texts. */
  readonly texts: TextList | undefined
  /** Bytes of a number in Parquet. */
  readonly numberBytes: number
}

/** Texts that a column chooses from. */
export interface TextList {
  readonly texts: readonly string[]
  /** The first place of an equal text. */
  readonly first: Uint32Array
}

/** Prepares a list of texts. */
export function textList(texts: readonly string[]): TextList {
  const places = new Map<string, number>()
  const first = Uint32Array.from(texts, (text, place) => {
    const known = places.get(text)
    if (known === undefined) places.set(text, place)
    return known ?? place
  })
  return { texts, first }
}

/** Distinct values in the order of their first appearance, and for each value that is not null its place among them. */
export interface Dictionary {
  readonly values: Float64Array
  readonly places: Uint32Array
}

// The rules of hyparquet-writer (src/dictionary.js): a column has one encoding, whoever encodes it.
const sampleSize = 1000
const sampleRejection = 0.9
/** Widest range of numbers whose places are kept in an array. */
const widestTable = 4_194_304

/** The dictionary of a column; `undefined` where it would not halve the plain bytes. */
export function dictionaryOf(column: FlatColumn, { least, greatest }: NumberRange): Dictionary | undefined {
  const sizeOf = (value: number) => (column.texts ? 4 + (column.texts.texts[value] as string).length : column.numberBytes)
  if (!isPromising(column, sizeOf)) return undefined
  const { values, texts } = column
  const base = texts ? 0 : least
  const range = texts ? texts.texts.length : greatest - least + 1
  const table = range <= widestTable ? new Int32Array(range).fill(-1) : undefined
  const map = new Map<number, number>()
  const distinct: number[] = []
  const places = new Uint32Array(values.length)
  let count = 0
  let plainBytes = 0
  let distinctBytes = 0
  for (let i = 0; i < values.length; i++) {
    let value = values[i] as number
    if (value === nullDraw) continue
    if (texts) value = texts.first[value] as number
    let place = table ? (table[value - base] as number) : (map.get(value) ?? -1)
    if (place < 0) {
      place = distinct.length
      distinct.push(value)
      distinctBytes += sizeOf(value)
      if (table) table[value - base] = place
      else map.set(value, place)
    }
    plainBytes += texts ? sizeOf(value) : column.numberBytes
    places[count++] = place
  }
  const placeBytes = Math.ceil((count * Math.ceil(Math.log2(distinct.length))) / 8)
  if (2 * (distinctBytes + placeBytes) > plainBytes) return undefined
  return { values: Float64Array.from(distinct), places: places.subarray(0, count) }
}

/** Whether a sample over the whole column repeats itself enough to look at all of it. */
function isPromising({ values, texts }: FlatColumn, sizeOf: (value: number) => number): boolean {
  const seen = new Set<number>()
  let distinctBytes = 0
  let allBytes = 0
  const sampled = Math.min(values.length, sampleSize)
  for (let i = 0; i < sampled; i++) {
    let value = values[sampled === 1 ? 0 : Math.floor((i * (values.length - 1)) / (sampled - 1))] as number
    if (value === nullDraw) continue
    if (texts) value = texts.first[value] as number
    const size = sizeOf(value)
    allBytes += size
    if (!seen.has(value)) distinctBytes += size
    seen.add(value)
  }
  return allBytes > 0 && distinctBytes / allBytes <= sampleRejection
}

/** Least and greatest number that is not null; the least one is the greater where there is none. */
export interface NumberRange {
  readonly least: number
  readonly greatest: number
}

/** The range of a column's numbers. */
export function rangeOf({ values }: FlatColumn): NumberRange {
  let least = Number.POSITIVE_INFINITY
  let greatest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (value === nullDraw) continue
    if (value < least) least = value
    if (value > greatest) greatest = value
  }
  return { least, greatest }
}
