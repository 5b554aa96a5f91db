import { convert } from '../cast'
import { coerces, sameType } from '../coercion'
import type { Position } from '../failure'
import { parseType, type TrinoType } from '../trino-type'
import { quietName, quietSql, type Typed } from '../value'

/** What a function knows about its call. */
export interface CallSite {
  readonly name: string
  readonly at: Position
}

/** A function of the allow-list: gives the typed result, or `undefined` when the arguments fit no overload. */
export type ScalarFunction = (items: readonly Typed[], site: CallSite) => Typed | undefined

interface Overload {
  readonly parameters: readonly TrinoType[]
  readonly result: TrinoType | ((items: readonly Typed[]) => TrinoType)
  readonly print: (...sql: string[]) => string
  readonly throws: boolean
}

/** Options of {@link overload}. */
export interface OverloadOptions {
  /** Whether it can fail. Default `false`. */
  readonly throws?: boolean
}

/** One signature: parameter types, result type, and its DuckDB form. NULL in any argument must give NULL there. */
export function overload(
  parameters: readonly string[],
  result: string | ((items: readonly Typed[]) => TrinoType),
  print: (...sql: string[]) => string,
  options: OverloadOptions = {},
): Overload {
  return {
    parameters: parameters.map(parseType),
    result: typeof result === 'string' ? parseType(result) : result,
    print,
    throws: options.throws ?? false,
  }
}

/** A function with fixed signatures. An exact fit wins over one that needs conversions; among those the first. */
export function overloaded(...overloads: readonly Overload[]): ScalarFunction {
  return (items) => {
    const fitting = overloads.filter((candidate) => candidate.parameters.length === items.length)
    const exact = fitting.find((candidate) =>
      candidate.parameters.every((type, index) => sameType((items[index] as Typed).type, type)),
    )
    const chosen =
      exact ??
      fitting.find((candidate) => candidate.parameters.every((type, index) => coerces((items[index] as Typed).type, type)))
    if (chosen === undefined) return undefined
    const converted = items.map((item, index) => convert(item, chosen.parameters[index] as TrinoType) as Typed)
    const type =
      typeof chosen.result === 'function'
        ? chosen.result(converted.map((item, index) => ({ ...item, type: (items[index] as Typed).type })))
        : chosen.result
    const sql = chosen.print(...converted.map((item) => item.sql))
    const quiet = converted.map(quietSql)
    // Strict as every overload is, NULL for a failed argument gives NULL. A call that fails by itself has a quiet form when it is native.
    const printed = quiet.every((item) => item !== undefined) ? chosen.print(...(quiet as string[])) : undefined
    return {
      sql,
      type,
      throws: chosen.throws || converted.some((item) => item.throws),
      quiet: chosen.throws ? printed && quietCall(printed) : printed,
    }
  }
}

// `t_name(…)` in its quiet form; around it only what takes every value that a native function gives.
function quietCall(sql: string): string | undefined {
  const [all, around, name] = /^(make_timestamp\(|)(t_\w+)\(/.exec(sql) ?? []
  return all === undefined || name === undefined ? undefined : `${around}${quietName(name)}${sql.slice(all.length - 1)}`
}

/** The type of the first argument: functions that keep `varchar(n)`. */
export function sameAsFirst(items: readonly Typed[]): TrinoType {
  const type = (items[0] as Typed).type
  return type.kind === 'varchar' ? type : parseType('varchar')
}
