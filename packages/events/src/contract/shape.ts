import type { StandardSchemaV1 } from '@standard-schema/spec'

/** The part of JSON Schema that shapes are written down in. */
export type JsonSchema = Readonly<Record<string, unknown>>

/**
 * The shape of a JSON value: a Standard Schema (so it works wherever zod's do) that can also say what it is as JSON Schema, which
 * `reviewRules` reads.
 */
export interface Shape<T> {
  readonly '~standard': StandardSchemaV1.Props<T> & {
    readonly jsonSchema: { input(): JsonSchema; output(): JsonSchema }
  }
}

/** The TypeScript type of a shape. */
export type ShapeOf<S> = S extends Shape<infer T> ? T : never

type Issue = StandardSchemaV1.Issue
type Check = (value: unknown, path: readonly PropertyKey[], issues: Issue[]) => void

const checks = new WeakMap<object, Check>()
const optionals = new WeakSet<object>()

function make<T>(schema: JsonSchema, check: Check): Shape<T> {
  const shape: Shape<T> = Object.freeze({
    '~standard': {
      version: 1,
      vendor: 'pipe',
      validate: (value: unknown) => {
        const issues: Issue[] = []
        check(value, [], issues)
        return issues.length > 0 ? { issues } : { value: value as T }
      },
      jsonSchema: { input: () => schema, output: () => schema },
    },
  } as const)
  checks.set(shape, check)
  return shape
}

function simple<T>(schema: JsonSchema, wanted: string, test: (value: unknown) => boolean): Shape<T> {
  return make(schema, (value, path, issues) => {
    if (!test(value)) issues.push({ message: `${describe(value)} is not ${wanted}`, path })
  })
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  return (JSON.stringify(value) ?? String(value)).slice(0, 60)
}

type Fields = Readonly<Record<string, Shape<unknown>>>
type OptionalKeys<F> = { [K in keyof F]: F[K] extends OptionalShape<unknown> ? K : never }[keyof F]
type Flat<T> = { [K in keyof T]: T[K] }

/** A field that may be missing. */
export interface OptionalShape<T> extends Shape<T> {
  readonly optional: true
}

/** The type of an object of shapes. */
export type ObjectOf<F extends Fields> = Flat<
  { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: ShapeOf<F[K]> } & { readonly [K in OptionalKeys<F>]?: ShapeOf<F[K]> }
>

const text = (): Shape<string> => simple({ type: 'string' }, 'a text', (value) => typeof value === 'string')

const number = (bounds: { readonly min?: number; readonly max?: number } = {}): Shape<number> => {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = bounds
  const schema = {
    type: 'number',
    ...(bounds.min === undefined ? {} : { minimum: min }),
    ...(bounds.max === undefined ? {} : { maximum: max }),
  }
  const wanted = Object.keys(bounds).length === 0 ? 'a number' : `a number from ${min} to ${max}`
  return simple(schema, wanted, (value) => typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max)
}

const boolean = (): Shape<boolean> => simple({ type: 'boolean' }, 'true or false', (value) => typeof value === 'boolean')

const oneOf = <const T extends readonly (string | number | boolean | null)[]>(...values: T): Shape<T[number]> =>
  simple({ enum: values }, `one of ${JSON.stringify(values)}`, (value) => values.includes(value as T[number]))

const list = <T>(element: Shape<T>): Shape<readonly T[]> => {
  const check = checks.get(element)!
  return make({ type: 'array', items: element['~standard'].jsonSchema.input() }, (value, path, issues) => {
    if (!Array.isArray(value)) issues.push({ message: `${describe(value)} is not a list`, path })
    else value.forEach((item: unknown, i) => void check(item, [...path, i], issues))
  })
}

const optional = <T>(shape: Shape<T>): OptionalShape<T> => {
  const schema = shape['~standard'].jsonSchema.input()
  const made = make<T>(schema, checks.get(shape)!)
  const marked = Object.freeze({ ...made, optional: true as const })
  checks.set(marked, checks.get(shape)!)
  optionals.add(marked)
  return marked
}

const object = <const F extends Fields>(fields: F, options: { readonly open?: boolean } = {}): Shape<ObjectOf<F>> => {
  const { open = false } = options
  const entries = Object.entries(fields)
  const schema = {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, shape]) => [name, shape['~standard'].jsonSchema.input()])),
    required: entries.filter(([, shape]) => !optionals.has(shape)).map(([name]) => name),
    ...(open ? {} : { additionalProperties: false }),
  }
  return make(schema, (value, path, issues) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      issues.push({ message: `${describe(value)} is not an object`, path })
      return
    }
    for (const [name, shape] of entries) {
      const item = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
      if (item === undefined && optionals.has(shape)) continue
      checks.get(shape)!(item, [...path, name], issues)
    }
    if (open) return
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(fields, name))
        issues.push({ message: `"${name}" is not a field of the contract`, path: [...path, name] })
    }
  })
}

/**
 * Shapes of JSON values, for contracts without a schema library: `text`, `number({ min?, max? })`, `boolean`, `oneOf(…)`, `list(shape)`,
 * `optional(shape)`, `object({ … }, { open? })`. Nothing is converted; an object refuses unknown fields unless it is `open`.
 *
 * @example
 * ```ts
 * const order = shape.object({ id: shape.text(), total: shape.number({ min: 0 }), note: shape.optional(shape.text()) })
 * type Order = ShapeOf<typeof order> // { id: string; total: number; note?: string }
 * ```
 */
export const shape: {
  readonly text: () => Shape<string>
  readonly number: (bounds?: { readonly min?: number; readonly max?: number }) => Shape<number>
  readonly boolean: () => Shape<boolean>
  readonly oneOf: <const T extends readonly (string | number | boolean | null)[]>(...values: T) => Shape<T[number]>
  readonly list: <T>(element: Shape<T>) => Shape<readonly T[]>
  readonly optional: <T>(shape: Shape<T>) => OptionalShape<T>
  readonly object: <const F extends Fields>(fields: F, options?: { readonly open?: boolean }) => Shape<ObjectOf<F>>
} = Object.freeze({ text, number, boolean, oneOf, list, optional, object })
