import type { ColumnMap } from '@pipe/core'
import type { LogFormat } from './log-format'

/** The kinds that `malformed: rate` stands for, as far as the table and the format can have them. */
export const commonMalformedKinds = [
  'truncated',
  'not-json',
  'wrong-type',
  'unknown-column',
  'missing-column',
  'null-column',
  'bare-nan',
  'blank-line',
  'invalid-utf8',
] as const

/**
 * Ways to spoil a line, such that no reader of the table can take it for a row. Each gives one line, but `split-line` (a line end within a
 * text) two. In CSV and TSV `not-json` is free text, `unknown-column` a cell too many and `missing-column` one too few.
 */
export const malformedKinds = [
  'truncated',
  'not-json',
  'wrong-type',
  'unknown-column',
  'missing-column',
  'null-column',
  'bare-nan',
  'blank-line',
  'invalid-utf8',
  'bare-infinity',
  'integer-overflow',
  'duplicate-key',
  'nul-byte',
  'unescaped-quote',
  'split-line',
  'huge-line',
  'repeated-header',
] as const

/** A way to spoil a line. */
export type MalformedKind = (typeof malformedKinds)[number]

/** Columns that each kind may spoil. */
export interface Targets {
  readonly typed: readonly string[]
  readonly required: readonly string[]
  readonly floating: readonly string[]
  readonly text: readonly string[]
  readonly whole: readonly string[]
  /** Required columns of which an empty cell of CSV is no value. */
  readonly neverEmpty: readonly string[]
  /** Text columns that are neither the first nor the last. */
  readonly middleText: readonly string[]
}

/** Which columns of a table can be spoilt in which way. */
export function targetsOf(columns: ColumnMap): Targets {
  const names = Object.keys(columns)
  const kindOf = (name: string) => columns[name]?.type.kind
  const isText = (name: string) => kindOf(name) === 'string'
  const required = names.filter((name) => !columns[name]?.isNullable)
  return {
    typed: names.filter((name) => !['string', 'array', 'map', 'struct', 'binary'].includes(kindOf(name) as string)),
    required,
    floating: names.filter((name) => kindOf(name) === 'float' || kindOf(name) === 'double'),
    text: names.filter(isText),
    whole: names.filter((name) => kindOf(name) === 'integer' || kindOf(name) === 'bigint'),
    neverEmpty: required.filter((name) => !isText(name) && kindOf(name) !== 'binary'),
    middleText: names.slice(1, -1).filter(isText),
  }
}

/** Kinds that are possible in a table and format. */
export function possibleKinds(targets: Targets, format: LogFormat | 'layout'): ReadonlySet<MalformedKind> {
  const kinds = new Set<MalformedKind>()
  if (format === 'parquet') return kinds
  // Readers of such lines are not ours: only what none can take for a row.
  if (format === 'layout') return kinds.add('truncated').add('not-json').add('blank-line')
  const isJson = format === 'ndjson'
  const when = (isPossible: boolean, ...names: MalformedKind[]) => {
    if (isPossible) for (const name of names) kinds.add(name)
  }
  when(true, 'truncated', 'not-json', 'unknown-column', 'blank-line', 'huge-line')
  when(targets.typed.length > 0, 'wrong-type')
  when(targets.whole.length > 0, 'integer-overflow')
  when(targets.text.length > 0, 'invalid-utf8')
  when((isJson ? targets.required : targets.neverEmpty).length > 0, 'null-column')
  when(!isJson || targets.required.length > 0, 'missing-column')
  when(isJson && targets.floating.length > 0, 'bare-nan', 'bare-infinity')
  when(isJson, 'duplicate-key')
  when(isJson && targets.text.length > 0, 'nul-byte')
  // A quote is a character like any other in TSV.
  when(format !== 'tsv' && targets.text.length > 0, 'unescaped-quote')
  // In CSV and TSV both halves of a line must have too few cells.
  when((isJson ? targets.text : targets.middleText).length > 0, 'split-line')
  when(!isJson, 'repeated-header')
  return kinds
}
