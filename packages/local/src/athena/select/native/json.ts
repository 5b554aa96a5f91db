import { invalidArgument, invalidCast } from './failure'
import { type JsonReader, JsonSyntaxError, readJson } from './json-reader'
import { javaNumberText, roundDecimalText, trinoNumberText } from './number-text'
import { toBoolean, toDoubleText, toIntegerText } from './varchar-cast'

/** A string as Jackson writes it: control characters as `\u001F`, the rest as it is. */
export function jsonString(value: string): string {
  if (/\p{Surrogate}/u.test(value)) throw invalidArgument('Incomplete surrogate pair in a JSON string')
  return JSON.stringify(value).replace(/\\u00([0-9a-f]{2})/g, (_, hex: string) => `\\u00${hex.toUpperCase()}`)
}

// A number that has passed through Jackson: integers keep their digits, all others become doubles.
function canonicalNumber(text: string, float: boolean): string {
  if (!float) return text === '-0' ? '0' : text
  const value = Number(text)
  return Number.isFinite(value) ? javaNumberText(value) : `"${value > 0 ? 'Infinity' : '-Infinity'}"`
}

/** Writes the value that the reader stands on. `sorted`: members in order of their names, the last of equal names wins. */
function canonicalValue(reader: JsonReader, sorted: boolean): string {
  switch (reader.kind()) {
    case 'object': {
      reader.open()
      const members: [string, string][] = []
      for (let first = true; reader.more(first, '}'); first = false) members.push([reader.key(), canonicalValue(reader, sorted)])
      const distinct = sorted
        ? [...new Map(members)].sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
        : members
      return `{${distinct.map(([name, value]) => `${jsonString(name)}:${value}`).join(',')}}`
    }
    case 'array': {
      reader.open()
      const items: string[] = []
      for (let first = true; reader.more(first, ']'); first = false) items.push(canonicalValue(reader, sorted))
      return `[${items.join(',')}]`
    }
    case 'string':
      return jsonString(reader.string())
    case 'integer':
      return canonicalNumber(reader.number(), false)
    case 'float':
      return canonicalNumber(reader.number(), true)
    case 'true':
      reader.skip()
      return 'true'
    case 'false':
      reader.skip()
      return 'false'
    default:
      reader.skip()
      return 'null'
  }
}

/** json_parse: canonical text with sorted members. */
export function jsonParse(text: string): string {
  try {
    const reader = readJson(text)
    const value = canonicalValue(reader, true)
    if (!reader.atEnd()) throw new JsonSyntaxError()
    return value
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    throw invalidArgument(`Cannot convert value to JSON: '${text}'`)
  }
}

const paths = new Map<string, readonly string[]>()

/** `$.a["b.c"][0]` as its steps; Trino's own path grammar (JsonPathTokenizer), not SQL/JSON. */
export function jsonPath(path: string): readonly string[] {
  const known = paths.get(path)
  if (known !== undefined) return known
  const invalid = invalidArgument(`Invalid JSON path: '${path}'`)
  if (!path.startsWith('$')) throw invalid
  const steps: string[] = []
  let rest = path.slice(1)
  while (rest !== '') {
    const match = /^(?:\.([\p{L}\p{Nd}_:-]+)|\[([\p{L}\p{Nd}_-]+)\]|\["((?:[^"\\]|\\["\\])*)"\])/u.exec(rest)
    if (match === null) throw invalid
    steps.push(match[1] ?? match[2] ?? (match[3] as string).replace(/\\(["\\])/g, '$1'))
    rest = rest.slice(match[0].length)
  }
  if (paths.size > 1000) paths.clear()
  paths.set(path, steps)
  return steps
}

// Moves to the value that the path names; false when it is not there.
function find(reader: JsonReader, steps: readonly string[]): boolean {
  for (const step of steps) {
    const kind = reader.kind()
    let found = false
    if (kind === 'object') {
      reader.open()
      for (let first = true; !found && reader.more(first, '}'); first = false) {
        if (reader.key() === step) found = true
        else reader.skip()
      }
    } else if (kind === 'array') {
      const index = /^[+-]?\d+$/.test(step) ? Number(step) : -1
      reader.open()
      let current = 0
      for (let first = true; !found && reader.more(first, ']'); first = false) {
        if (current++ === index) found = true
        else reader.skip()
      }
    }
    if (!found) return false
  }
  return true
}

// Trino's JSON functions give NULL for text that is not JSON up to where they look.
function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof JsonSyntaxError) return null
    throw error
  }
}

/** json_extract_scalar: text of a scalar as it stands; NULL for JSON null, containers and what is not there. */
export function jsonExtractScalar(text: string, path: string): string | null {
  const steps = jsonPath(path)
  return orNull(() => {
    const reader = readJson(text)
    if (!find(reader, steps)) return null
    const kind = reader.kind()
    if (kind === 'string') return reader.string()
    if (kind === 'integer' || kind === 'float') return reader.number()
    if (kind === 'true' || kind === 'false') {
      reader.skip()
      return kind
    }
    return null
  })
}

/** json_extract: the value as JSON, members in their order. */
export function jsonExtract(text: string, path: string): string | null {
  const steps = jsonPath(path)
  return orNull(() => {
    const reader = readJson(text)
    return find(reader, steps) ? canonicalValue(reader, false) : null
  })
}

/** json_size: members or elements, 0 for a scalar. */
export function jsonSize(text: string, path: string): bigint | null {
  const steps = jsonPath(path)
  return orNull(() => {
    const reader = readJson(text)
    return find(reader, steps) ? (countItems(reader) ?? 0n) : null
  })
}

function countItems(reader: JsonReader): bigint | undefined {
  const kind = reader.kind()
  if (kind !== 'object' && kind !== 'array') return undefined
  reader.open()
  let count = 0n
  for (let first = true; reader.more(first, kind === 'object' ? '}' : ']'); first = false) {
    if (kind === 'object') reader.key()
    reader.skip()
    count++
  }
  return count
}

/** json_array_length: NULL for what is no array. */
export function jsonArrayLength(text: string): bigint | null {
  return orNull(() => {
    const reader = readJson(text)
    return reader.kind() === 'array' ? (countItems(reader) ?? null) : null
  })
}

/** json_array_contains, for a boolean, bigint, double or varchar given as text with its kind. */
export function jsonArrayContains(text: string, wanted: string, kind: string): boolean | null {
  return orNull(() => {
    const reader = readJson(text)
    if (reader.kind() !== 'array') return null
    reader.open()
    for (let first = true; reader.more(first, ']'); first = false) {
      const found = reader.kind()
      if (kind === 'boolean' ? found === wanted : false) return true
      if (kind === 'varchar' && found === 'string') {
        if (reader.string() === wanted) return true
      } else if (kind === 'bigint' && found === 'integer') {
        if (BigInt(reader.number()) === BigInt(wanted)) return true
      } else if (kind === 'double' && found === 'float') {
        if (Number(reader.number()) === Number(wanted)) return true
      } else {
        reader.skip()
      }
    }
    return false
  })
}

/** is_json_scalar. */
export function isJsonScalar(text: string): boolean {
  try {
    const reader = readJson(text)
    const kind = reader.kind()
    reader.skip()
    if (!reader.atEnd()) throw new JsonSyntaxError()
    return kind !== 'object' && kind !== 'array'
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    throw invalidArgument(`Invalid JSON value: ${text}`)
  }
}

// The whole text as one container of the wanted kind; `undefined` for JSON null.
function container<T>(text: string, target: string, kind: 'object' | 'array', read: (reader: JsonReader) => T): T | null {
  try {
    const reader = readJson(text)
    const found = reader.kind()
    if (found === 'null') {
      reader.skip()
      if (!reader.atEnd()) throw new JsonSyntaxError()
      return null
    }
    if (found !== kind)
      throw invalidCast(`Cannot cast to ${target}. Expected a json ${kind}, but got ${text.trim().slice(0, 1)}\n${text}`)
    reader.open()
    const value = read(reader)
    if (!reader.atEnd()) throw new JsonSyntaxError()
    return value
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    throw invalidCast(`Cannot cast to ${target}.\n${text}`)
  }
}

/** Elements of a JSON array as JSON texts, for CAST(json AS array(T)). */
export function jsonElements(text: string, target: string): (string | null)[] | null {
  return container(text, target, 'array', (reader) => {
    const items: string[] = []
    for (let first = true; reader.more(first, ']'); first = false) items.push(canonicalValue(reader, false))
    return items
  })
}

function members(text: string, target: string): [string, string][] | null {
  return container(text, target, 'object', (reader) => {
    const pairs: [string, string][] = []
    const seen = new Set<string>()
    for (let first = true; reader.more(first, '}'); first = false) {
      const name = reader.key()
      if (seen.has(name)) throw invalidCast(`Cannot cast to ${target}. Duplicate keys are not allowed\n${text}`)
      seen.add(name)
      pairs.push([name, canonicalValue(reader, false)])
    }
    return pairs
  })
}

/** Names of a JSON object, for CAST(json AS map(K, V)). */
export function jsonKeys(text: string, target: string): (string | null)[] | null {
  return members(text, target)?.map(([name]) => name) ?? null
}

/** Values of a JSON object as JSON texts, in the order of {@link jsonKeys}. */
export function jsonValues(text: string, target: string): (string | null)[] | null {
  return members(text, target)?.map(([, value]) => value) ?? null
}

/** Fields of a row out of a JSON array (by position) or object (by name, any case), for CAST(json AS row(…)). NULL where one is missing. */
export function jsonFields(text: string, names: string, target: string): (string | null)[] | null {
  const wanted = JSON.parse(names) as string[]
  if (text.trimStart().startsWith('[')) {
    const items = jsonElements(text, target) as string[]
    if (items.length !== wanted.length)
      throw invalidCast(`Cannot cast to ${target}. Expected ${wanted.length} elements, but got ${items.length}\n${text}`)
    return items
  }
  const pairs = members(text, target)
  if (pairs === null) return null
  const byName = new Map<string, string>()
  for (const [name, value] of pairs) {
    const key = name.toLowerCase()
    if (byName.has(key) && wanted.includes(key)) throw invalidCast(`Cannot cast to ${target}. Duplicate field: ${key}\n${text}`)
    byName.set(key, value)
  }
  return wanted.map((name) => byName.get(name) ?? null)
}

/** CAST(json AS scalar) as text for DuckDB to read; NULL for JSON null. `scale` only matters for decimals. */
export function jsonScalar(text: string, target: string, scale: number): string | null {
  const failed = (): Error => invalidCast(`Cannot cast to ${target}.\n${text}`)
  try {
    const reader = readJson(text)
    const kind = reader.kind()
    const value = kind === 'string' ? reader.string() : kind === 'integer' || kind === 'float' ? reader.number() : ''
    if (value === '' && kind !== 'string') reader.skip()
    if (!reader.atEnd()) throw new JsonSyntaxError()
    if (kind === 'null') return null
    if (kind === 'object' || kind === 'array') throw failed()
    return scalarText(kind, value, target, scale, failed)
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    throw failed()
  }
}

function scalarText(kind: string, value: string, target: string, scale: number, failed: () => Error): string {
  const truth = kind === 'true' ? 1 : kind === 'false' ? 0 : undefined
  switch (target) {
    case 'varchar':
      if (kind === 'float') return trinoNumberText(Number(value))
      return truth === undefined ? value : kind
    case 'boolean':
      if (kind === 'string') return String(toBoolean(value))
      return truth === undefined ? String(Number(value) !== 0) : kind
    case 'double':
    case 'real':
      if (truth !== undefined) return String(truth)
      return kind === 'string' ? toDoubleText(value, target) : value
    case 'decimal': {
      if (truth !== undefined) return String(truth)
      const rounded = roundDecimalText(value, scale)
      if (rounded === undefined) throw failed()
      return rounded
    }
    default:
      if (truth !== undefined) return String(truth)
      if (kind === 'string') return toIntegerText(value, target)
      return kind === 'integer' ? value : roundHalfUp(Number(value), failed)
  }
}

function roundHalfUp(value: number, failed: () => Error): string {
  const rounded = Math.sign(value) * Math.round(Math.abs(value))
  if (!Number.isFinite(rounded)) throw failed()
  return BigInt(rounded).toString()
}
