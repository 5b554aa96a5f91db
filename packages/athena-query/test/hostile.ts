import fc from 'fast-check'

/** What breaks naive quoting: quotes, escapes, comments, terminators, placeholders, line ends, and characters of two code units. */
const fragments = [
  "'",
  "''",
  "'''",
  '"',
  '""',
  '`',
  '\\',
  "\\'",
  "\\\\'",
  '\\u0027',
  '\\047',
  '\\x27',
  '--',
  '/*',
  '*/',
  '#',
  ';',
  '\n',
  '\r',
  '\r\n',
  '\0',
  '\u001a',
  '\b',
  '\t',
  'U&',
  "X'",
  '?',
  ':p',
  '${',
  '}',
  '%s',
  '\ufeff',
  '\u2028',
  '\u00a0',
  'ʼ',
  '＇',
  '😀',
  'ẞ',
  ' ',
  'a',
  'OR 1=1',
  "'; DROP TABLE t; --",
  'NULL',
]

/** Text that tries to leave its quotes. Some of it no statement can hold: half a surrogate pair. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.array(fc.constantFrom(...fragments), { maxLength: 12 }).map((parts) => parts.join('')) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom('\ud83d', '\ude00', "'", '\\', 'a'), { maxLength: 5 }).map((parts) => parts.join('')),
  },
)

/** How many values the property sends: `PIPE_HOSTILE_VALUES`, else three thousand. */
export const hostileCount: number = Number(process.env['PIPE_HOSTILE_VALUES'] ?? 3_000)
