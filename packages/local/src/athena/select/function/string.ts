import { notSupportedLocally } from '../../query-engine'
import { convert } from '../cast'
import { typeMismatch } from '../failure'
import { patternProblem } from '../native/regex'
import { concat } from '../operator'
import { arrayOf, mapOf, types, typeText } from '../trino-type'
import { raise, type Typed } from '../value'
import { type CallSite, overload, overloaded, type ScalarFunction, sameAsFirst } from './signature'

const fails = { throws: true }

// Trino trims white space as Java's Character.isWhitespace has it (no-break spaces stay).
const whiteSpace = `(' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(28) || chr(29) || chr(30) || chr(31) || chr(5760) || chr(8192) || chr(8193) || chr(8194) || chr(8195) || chr(8196) || chr(8197) || chr(8198) || chr(8200) || chr(8201) || chr(8202) || chr(8232) || chr(8233) || chr(8287) || chr(12288))`

// A pattern must be a literal: only then is it known that both regular expression engines read it alike.
function pattern(item: Typed | undefined): void {
  if (item === undefined) return
  if (typeof item.literal !== 'string') {
    if (item.type.kind === 'unknown') return
    throw notSupportedLocally('a regular expression that is not a literal')
  }
  const problem = patternProblem(item.literal)
  if (problem !== undefined) throw notSupportedLocally(problem)
}

function regex(inner: ScalarFunction): ScalarFunction {
  return (items, site) => {
    pattern(items[1])
    return inner(items, site)
  }
}

function concatAll(items: readonly Typed[], site: CallSite): Typed | undefined {
  if (items.length < 2) throw typeMismatch('There must be two or more concatenation arguments', site.at)
  return items.reduce((left, right) => concat(left, right, site.at))
}

const substring: ScalarFunction = overloaded(
  overload(['varchar', 'bigint'], sameAsFirst, (text, from) => substringSql(text, from)),
  overload(['varchar', 'bigint', 'bigint'], sameAsFirst, (text, from, size) => substringSql(text, from, size)),
)

// From 1, or from the end for negative numbers; 0 and what lies outside give the empty string.
function substringSql(text: string, from: string, size?: string): string {
  const count = size === undefined ? `length(${text})` : `greatest(least(${size}, length(${text})), 0)`
  const start = `(CASE WHEN ${from} > 0 THEN ${from} ELSE length(${text}) + ${from} + 1 END)`
  return `(CASE WHEN ${text} IS NULL OR ${from} IS NULL${size === undefined ? '' : ` OR ${size} IS NULL`} THEN NULL WHEN ${from} = 0 OR ${start} < 1 OR ${start} > length(${text}) THEN '' ELSE substring(${text}, ${start}, ${count}) END)`
}

const split: ScalarFunction = overloaded(
  overload(
    ['varchar', 'varchar'],
    (items) => arrayOf(sameAsFirst(items)),
    (text, by) => `t_split(${text}, ${by}, -1)`,
    fails,
  ),
  overload(
    ['varchar', 'varchar', 'bigint'],
    (items) => arrayOf(sameAsFirst(items)),
    (text, by, limit) => `t_split(${text}, ${by}, CASE WHEN ${limit} = -1 THEN 0 ELSE ${limit} END)`,
    fails,
  ),
)

const splitToMap: ScalarFunction = (items) => {
  const [text, entries, keys] = items.map((item) => convert(item, types.varchar))
  if (items.length !== 3 || text === undefined || entries === undefined || keys === undefined) return undefined
  const pairs = `t_split_pairs(${text.sql}, ${entries.sql}, ${keys.sql})`
  const half = (first: number): string =>
    `list_transform(range(${first}, len(${pairs}) + 1, 2), lambda split_i: ${pairs}[split_i])`
  return {
    sql: `(CASE WHEN ${pairs} IS NULL THEN NULL ELSE map(${half(1)}, ${half(2)}) END)`,
    type: mapOf(types.varchar, types.varchar),
    throws: true,
  }
}

const trimWith = (name: 'trim' | 'ltrim' | 'rtrim'): ScalarFunction =>
  overloaded(
    overload(['varchar'], sameAsFirst, (text) => `${name}(${text}, ${whiteSpace})`),
    overload(['varchar', 'varchar'], sameAsFirst, (text, characters) => `${name}(${text}, ${characters})`),
  )

const chr: ScalarFunction = overloaded(
  overload(
    ['bigint'],
    () => ({ kind: 'varchar', length: 1 }),
    (code) =>
      `(CASE WHEN ${code} < 0 OR ${code} > 1114111 OR ${code} BETWEEN 55296 AND 57343 THEN ${raise('INVALID_FUNCTION_ARGUMENT', 'Not a valid Unicode code point', 'VARCHAR')} ELSE chr(CAST(${code} AS INTEGER)) END)`,
    fails,
  ),
)

/** String, regular expression and binary functions. */
export const stringFunctions: Readonly<Record<string, ScalarFunction>> = {
  concat: concatAll,
  length: overloaded(
    overload(['varchar'], 'bigint', (text) => `length(${text})`),
    overload(['varbinary'], 'bigint', (bytes) => `octet_length(${bytes})`),
  ),
  lower: overloaded(overload(['varchar'], sameAsFirst, (text) => `t_case(${text}, FALSE)`, fails)),
  upper: overloaded(overload(['varchar'], sameAsFirst, (text) => `t_case(${text}, TRUE)`, fails)),
  reverse: overloaded(
    overload(['varchar'], sameAsFirst, (text) => `array_to_string(list_reverse(regexp_extract_all(${text}, '(?s).')), '')`),
  ),
  substr: substring,
  substring,
  trim: trimWith('trim'),
  ltrim: trimWith('ltrim'),
  rtrim: trimWith('rtrim'),
  replace: overloaded(
    overload(
      ['varchar', 'varchar'],
      sameAsFirst,
      (text, search) => `(CASE WHEN ${search} = '' THEN ${text} ELSE replace(${text}, ${search}, '') END)`,
    ),
    overload(
      ['varchar', 'varchar', 'varchar'],
      'varchar',
      (text, search, by) =>
        `(CASE WHEN (${text}) IS NULL OR (${by}) IS NULL THEN NULL WHEN ${search} = '' THEN array_to_string(list_append(list_transform(regexp_extract_all(${text}, '(?s).'), lambda replace_c: ${by} || replace_c), ${by}), '') ELSE replace(${text}, ${search}, ${by}) END)`,
    ),
  ),
  strpos: overloaded(overload(['varchar', 'varchar'], 'bigint', (text, search) => `strpos(${text}, ${search})`)),
  starts_with: overloaded(overload(['varchar', 'varchar'], 'boolean', (text, prefix) => `starts_with(${text}, ${prefix})`)),
  lpad: overloaded(
    overload(['varchar', 'bigint', 'varchar'], 'varchar', (text, size, by) => `t_pad(${text}, ${size}, ${by}, TRUE)`, fails),
  ),
  rpad: overloaded(
    overload(['varchar', 'bigint', 'varchar'], 'varchar', (text, size, by) => `t_pad(${text}, ${size}, ${by}, FALSE)`, fails),
  ),
  split,
  split_part: overloaded(
    overload(['varchar', 'varchar', 'bigint'], sameAsFirst, (text, by, index) => `t_split_part(${text}, ${by}, ${index})`, fails),
  ),
  split_to_map: splitToMap,
  chr,
  regexp_like: regex(
    overloaded(overload(['varchar', 'varchar'], 'boolean', (text, by) => `t_regexp_like(${text}, ${by})`, fails)),
  ),
  regexp_extract: regex(
    overloaded(
      overload(['varchar', 'varchar'], sameAsFirst, (text, by) => `t_regexp_extract(${text}, ${by}, 0)`, fails),
      overload(
        ['varchar', 'varchar', 'bigint'],
        sameAsFirst,
        (text, by, group) => `t_regexp_extract(${text}, ${by}, ${group})`,
        fails,
      ),
    ),
  ),
  regexp_extract_all: regex(
    overloaded(
      overload(
        ['varchar', 'varchar'],
        (items) => arrayOf(sameAsFirst(items)),
        (text, by) => `t_regexp_extract_all(${text}, ${by}, 0)`,
        fails,
      ),
      overload(
        ['varchar', 'varchar', 'bigint'],
        (items) => arrayOf(sameAsFirst(items)),
        (text, by, group) => `t_regexp_extract_all(${text}, ${by}, ${group})`,
        fails,
      ),
    ),
  ),
  regexp_replace: regex(
    overloaded(
      overload(['varchar', 'varchar'], sameAsFirst, (text, by) => `t_regexp_replace(${text}, ${by}, '')`, fails),
      overload(
        ['varchar', 'varchar', 'varchar'],
        'varchar',
        (text, by, replacement) => `t_regexp_replace(${text}, ${by}, ${replacement})`,
        fails,
      ),
    ),
  ),
  regexp_split: regex(
    overloaded(
      overload(
        ['varchar', 'varchar'],
        (items) => arrayOf(sameAsFirst(items)),
        (text, by) => `t_regexp_split(${text}, ${by})`,
        fails,
      ),
    ),
  ),
  regexp_count: regex(
    overloaded(overload(['varchar', 'varchar'], 'bigint', (text, by) => `t_regexp_count(${text}, ${by})`, fails)),
  ),
  to_utf8: overloaded(overload(['varchar'], 'varbinary', (text) => `encode(${text})`)),
  from_utf8: overloaded(overload(['varbinary'], 'varchar', (bytes) => `t_from_utf8(${bytes})`)),
  to_hex: overloaded(overload(['varbinary'], 'varchar', (bytes) => `hex(${bytes})`)),
  from_hex: overloaded(overload(['varchar'], 'varbinary', (text) => `t_from_hex(${text})`, fails)),
  to_base64: overloaded(overload(['varbinary'], 'varchar', (bytes) => `to_base64(${bytes})`)),
  from_base64: overloaded(overload(['varchar'], 'varbinary', (text) => `t_from_base64(${text})`, fails)),
  md5: digest('md5'),
  sha1: digest('sha1'),
  sha256: digest('sha256'),
  sha512: digest('sha512'),
  typeof: (items) => {
    if (items.length !== 1) return undefined
    const text = typeText((items[0] as Typed).type)
    return { sql: `CAST('${text.replaceAll("'", "''")}' AS VARCHAR)`, type: types.varchar, throws: false }
  },
}

function digest(algorithm: string): ScalarFunction {
  return overloaded(overload(['varbinary'], 'varbinary', (bytes) => `t_digest('${algorithm}', ${bytes})`))
}
