import { ConfigError, type IdentifierDialect, quoteName } from '@pipe/core'
import { type LiteralProblem, literal } from './literal'
import { partsOf, type SqlFragment, type SqlPart, sqlError } from './sql'
import { dialectOf } from './statement'

/** Longest statement that Athena takes, in UTF-8 bytes (StartQueryExecution, QueryString). */
export const maxStatementBytes: number = 262_144

/**
 * The text of a statement, with every value as a literal of its dialect. The dialect is that of the whole statement, found from its
 * first words: Hive for DDL, Trino for the rest.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_SQL` when a value has no literal in the dialect or stands inside quotes or a comment,
 * `PIPE_ATHENA_NAME` when a name cannot be written.
 * @example
 * ```ts
 * renderSql(sql`SELECT ${"it's"}`) // "SELECT 'it''s'"
 * ```
 */
export function renderSql(fragment: SqlFragment, dialect?: IdentifierDialect): string {
  const parts = partsOf(fragment)
  return renderParts(parts, dialect ?? dialectOf(skeletonOf(parts)))
}

/** The statement with a placeholder for each value and name: enough to see what kind of statement it is. */
function skeletonOf(parts: readonly SqlPart[]): string {
  return parts
    .map((part) => (part.kind === 'text' ? part.text : part.kind === 'name' ? '"n"' : part.kind === 'end' ? '' : '0'))
    .join('')
}

function renderParts(parts: readonly SqlPart[], dialect: IdentifierDialect): string {
  const scanner = createScanner(dialect)
  let out = ''
  let open = false // whether the last thing written was a value, which must not grow together with what follows
  let last = ''
  const add = (text: string) => {
    out += text
    if (text !== '') last = text[text.length - 1]!
  }
  for (const part of parts) {
    if (part.kind === 'end') {
      if (scanner.state() === 'line comment') {
        scanner.read('\n')
        add('\n')
      }
      continue
    }
    if (part.kind === 'text') {
      if (open && /^[^\s),;.\]=<>]/.test(part.text)) add(' ')
      scanner.read(part.text)
      add(part.text)
      if (part.text !== '') open = false
      continue
    }
    const state = scanner.state()
    if (state !== 'sql') {
      const what = part.kind === 'name' ? `The name ${JSON.stringify(part.parts.join('.'))}` : describePart(part)
      throw sqlError(`${what} stands inside a ${state} of the statement.`, {
        hint: state.endsWith('comment') ? 'Move it out of the comment.' : 'Leave out the quotes: the tag writes them.',
      })
    }
    // Without the space, 'a' and 'b' side by side would read as one string, "x -" and -5 as a comment, U& and 'a' as an escape.
    if (open || !/^[\s(,=<>.[]?$/.test(last)) add(' ')
    add(renderValue(part, dialect))
    scanner.read(' ')
    open = true
  }
  if (scanner.state() !== 'sql' && scanner.state() !== 'line comment') {
    throw sqlError(`The statement ends inside a ${scanner.state()}.`, { hint: 'Close it.' })
  }
  return out
}

function describePart(part: Exclude<SqlPart, { kind: 'text' | 'end' | 'name' }>): string {
  return part.kind === 'value' ? sentence(part.where) : `A ${part.kind}`
}

function sentence(where: string): string {
  return `V${where.slice(1).replace(/,$/, '')}`
}

function renderValue(part: Exclude<SqlPart, { kind: 'text' | 'end' }>, dialect: IdentifierDialect): string {
  if (part.kind === 'name') return quoteName(part.parts, dialect)
  const refuse = ({ text, hint }: LiteralProblem): never => {
    throw sqlError(`${describePart(part)} ${text}.`, hint ? { hint } : {})
  }
  if (part.kind === 'value') return literal(part.value, dialect, refuse)
  if (part.kind === 'list') return `(${part.values.map((value) => literal(value, dialect, refuse)).join(', ')})`
  if (dialect === 'hive') {
    throw new ConfigError(`${part.kind}('${part.text}') cannot stand in Athena DDL.`, {
      code: 'PIPE_ATHENA_SQL',
      hint: 'Give it as text.',
    })
  }
  return part.kind === 'decimal' ? `DECIMAL '${part.text}'` : `DATE '${part.text}'`
}

type ScanState = 'sql' | 'quoted string' | 'quoted name' | 'line comment' | 'block comment'

/** Follows the text of a statement to tell whether a place is inside quotes or a comment. */
function createScanner(dialect: IdentifierDialect): { read(text: string): void; state(): ScanState } {
  let state: ScanState = 'sql'
  let closing = ''
  let previous = ''
  const readSql = (character: string) => {
    const pair = previous + character
    previous = character
    if (character === "'" || character === '"' || character === '`') {
      // Hive takes both quotes for strings.
      state = character === "'" || (dialect === 'hive' && character === '"') ? 'quoted string' : 'quoted name'
      closing = character
    } else if (pair === '--') state = 'line comment'
    else if (pair === '/*') {
      state = 'block comment'
      previous = ''
    }
  }
  const readQuoted = (character: string) => {
    // A doubled quote closes and opens again, which comes to the same.
    if (character === closing && !(dialect === 'hive' && previous === '\\')) {
      state = 'sql'
      previous = ''
    } else previous = character === '\\' && previous === '\\' ? '' : character
  }
  return {
    read: (text) => {
      for (const character of text) {
        if (state === 'sql') readSql(character)
        else if (state === 'line comment') {
          if (character === '\n') {
            state = 'sql'
            previous = ''
          }
        } else if (state === 'block comment') {
          if (previous === '*' && character === '/') {
            state = 'sql'
            previous = ''
          } else previous = character
        } else readQuoted(character)
      }
    },
    state: () => state,
  }
}
