import type { Position } from '../failure'

/** A name as written; names compare in lower case unless they are aliases shown to the user. */
export interface Identifier {
  readonly text: string
  readonly at: Position
}

/** A type as written: `decimal(10, 2)`, `row(a integer, b array(varchar))`. */
export interface TypeName {
  readonly name: string
  readonly arguments: readonly (TypeName | number)[]
  /** Field names of a row type, by index of the argument. */
  readonly fields?: readonly (string | undefined)[]
  readonly withTimeZone?: boolean
  readonly at: Position
}

export interface SortItem {
  readonly value: Expression
  readonly descending: boolean
  readonly nullsFirst?: boolean | undefined
}

export interface FrameBound {
  readonly kind: 'unbounded preceding' | 'preceding' | 'current row' | 'following' | 'unbounded following'
  readonly value?: Expression | undefined
}

export interface Frame {
  readonly unit: 'rows' | 'range' | 'groups'
  readonly start: FrameBound
  readonly end?: FrameBound | undefined
}

export interface WindowSpecification {
  readonly partitionBy: readonly Expression[]
  readonly orderBy: readonly SortItem[]
  readonly frame?: Frame | undefined
}

export interface Call {
  readonly kind: 'call'
  /** Lower case. */
  readonly name: string
  readonly arguments: readonly Expression[]
  /** `count(*)`. */
  readonly star: boolean
  readonly distinct: boolean
  readonly orderBy: readonly SortItem[]
  readonly filter?: Expression | undefined
  readonly over?: WindowSpecification | undefined
  readonly ignoreNulls: boolean
  readonly at: Position
}

/** An expression, with nothing resolved. */
export type Expression =
  | Call
  | { readonly kind: 'null'; readonly at: Position }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly at: Position }
  | { readonly kind: 'string' | 'binary' | 'integer' | 'decimal' | 'double'; readonly value: string; readonly at: Position }
  /** `timestamp '…'`, `decimal '…'`. */
  | { readonly kind: 'typed-literal'; readonly type: TypeName; readonly value: string; readonly at: Position }
  | {
      readonly kind: 'interval'
      readonly value: string
      readonly negative: boolean
      readonly unit: string
      readonly to?: string | undefined
      readonly at: Position
    }
  | { readonly kind: 'name'; readonly name: Identifier; readonly at: Position }
  | { readonly kind: 'field'; readonly base: Expression; readonly name: Identifier; readonly at: Position }
  | { readonly kind: 'subscript'; readonly base: Expression; readonly index: Expression; readonly at: Position }
  | { readonly kind: 'row'; readonly items: readonly Expression[]; readonly at: Position }
  | { readonly kind: 'array'; readonly items: readonly Expression[]; readonly at: Position }
  | { readonly kind: 'lambda'; readonly parameters: readonly string[]; readonly body: Expression; readonly at: Position }
  | { readonly kind: 'negate'; readonly value: Expression; readonly at: Position }
  | {
      readonly kind: 'arithmetic'
      readonly operator: '+' | '-' | '*' | '/' | '%'
      readonly left: Expression
      readonly right: Expression
      readonly at: Position
    }
  | { readonly kind: 'concat'; readonly left: Expression; readonly right: Expression; readonly at: Position }
  | {
      readonly kind: 'comparison'
      readonly operator: '=' | '<>' | '<' | '<=' | '>' | '>='
      readonly left: Expression
      readonly right: Expression
      readonly at: Position
    }
  | { readonly kind: 'and' | 'or'; readonly items: readonly Expression[]; readonly at: Position }
  | { readonly kind: 'not'; readonly value: Expression; readonly at: Position }
  | {
      readonly kind: 'between'
      readonly value: Expression
      readonly low: Expression
      readonly high: Expression
      readonly negated: boolean
      readonly at: Position
    }
  | {
      readonly kind: 'in'
      readonly value: Expression
      readonly items: readonly Expression[]
      readonly negated: boolean
      readonly at: Position
    }
  | {
      readonly kind: 'in-query'
      readonly value: Expression
      readonly query: Query
      readonly negated: boolean
      readonly at: Position
    }
  | {
      readonly kind: 'like'
      readonly value: Expression
      readonly pattern: Expression
      readonly escape?: Expression | undefined
      readonly negated: boolean
      readonly at: Position
    }
  | { readonly kind: 'is-null'; readonly value: Expression; readonly negated: boolean; readonly at: Position }
  | {
      readonly kind: 'is-distinct'
      readonly left: Expression
      readonly right: Expression
      readonly negated: boolean
      readonly at: Position
    }
  | { readonly kind: 'exists'; readonly query: Query; readonly at: Position }
  | { readonly kind: 'scalar-query'; readonly query: Query; readonly at: Position }
  | { readonly kind: 'cast'; readonly value: Expression; readonly type: TypeName; readonly safe: boolean; readonly at: Position }
  | {
      readonly kind: 'case'
      readonly operand?: Expression | undefined
      readonly branches: readonly { readonly when: Expression; readonly result: Expression }[]
      readonly otherwise?: Expression | undefined
      readonly at: Position
    }
  | { readonly kind: 'extract'; readonly field: string; readonly value: Expression; readonly at: Position }
  | { readonly kind: 'at-time-zone'; readonly value: Expression; readonly zone: Expression; readonly at: Position }
  | { readonly kind: 'now'; readonly name: string; readonly precision?: number | undefined; readonly at: Position }

/** What stands in a FROM clause. */
export type Relation =
  | { readonly kind: 'table'; readonly parts: readonly Identifier[]; readonly at: Position }
  | { readonly kind: 'subquery'; readonly query: Query; readonly at: Position }
  | { readonly kind: 'unnest'; readonly items: readonly Expression[]; readonly ordinality: boolean; readonly at: Position }
  | {
      readonly kind: 'aliased'
      readonly relation: Relation
      readonly alias: Identifier
      readonly columns?: readonly Identifier[] | undefined
      readonly at: Position
    }
  | {
      readonly kind: 'sampled'
      readonly relation: Relation
      readonly method: string
      readonly percentage: Expression
      readonly at: Position
    }
  | {
      readonly kind: 'join'
      readonly type: 'inner' | 'left' | 'right' | 'full' | 'cross'
      readonly left: Relation
      readonly right: Relation
      readonly on?: Expression | undefined
      readonly using?: readonly Identifier[] | undefined
      readonly at: Position
    }

export type SelectItem =
  | { readonly kind: 'expression'; readonly value: Expression; readonly alias?: Identifier | undefined; readonly at: Position }
  | { readonly kind: 'all'; readonly of?: readonly Identifier[] | undefined; readonly at: Position }

export type GroupingElement =
  | { readonly kind: 'simple'; readonly items: readonly Expression[] }
  | { readonly kind: 'rollup' | 'cube'; readonly items: readonly (readonly Expression[])[] }
  | { readonly kind: 'sets'; readonly items: readonly (readonly Expression[])[] }

/** What yields rows before ORDER BY and LIMIT. */
export type QueryBody =
  | {
      readonly kind: 'select'
      readonly distinct: boolean
      readonly items: readonly SelectItem[]
      readonly from?: Relation | undefined
      readonly where?: Expression | undefined
      readonly groupBy?: { readonly elements: readonly GroupingElement[]; readonly distinct: boolean } | undefined
      readonly having?: Expression | undefined
      readonly at: Position
    }
  | { readonly kind: 'values'; readonly rows: readonly Expression[]; readonly at: Position }
  | { readonly kind: 'table'; readonly parts: readonly Identifier[]; readonly at: Position }
  | { readonly kind: 'parenthesized'; readonly query: Query; readonly at: Position }
  | {
      readonly kind: 'set'
      readonly operator: 'union' | 'intersect' | 'except'
      readonly all: boolean
      readonly left: QueryBody
      readonly right: QueryBody
      readonly at: Position
    }

export interface CommonTable {
  readonly name: Identifier
  readonly columns?: readonly Identifier[] | undefined
  readonly query: Query
}

/** A whole query: WITH, body, ORDER BY, OFFSET, LIMIT or FETCH. */
export interface Query {
  readonly with: readonly CommonTable[]
  readonly body: QueryBody
  readonly orderBy: readonly SortItem[]
  readonly offset?: Expression | undefined
  /** `undefined` = no limit (also LIMIT ALL). */
  readonly limit?: Expression | undefined
  readonly withTies: boolean
  readonly at: Position
}
