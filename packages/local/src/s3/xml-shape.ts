import { element, escapeXml, malformedXml, type XmlNode } from './xml'

/**
 * The form of an XML document of the API: elements in the order in which S3 writes them. Read strictly, as S3's schema is: an element that is unknown, missing,
 * repeated or of another type is MalformedXML. The value is plain JSON with the names of the elements.
 */
export type Shape = 'text' | 'integer' | 'boolean' | 'date' | { readonly oneOf: readonly string[] } | ObjectShape

/** An element with children. */
export interface ObjectShape {
  readonly [element: string]: Field
}

/** A child element: optional unless it says otherwise. */
export interface Field {
  readonly shape: Shape
  readonly required?: boolean
  /** Read as a list, also when there is one. */
  readonly list?: boolean
}

/** An optional child. */
export const optional = (shape: Shape): Field => ({ shape })
/** A child that must be there. */
export const required = (shape: Shape): Field => ({ shape, required: true })
/** Any number of children of one name. */
export const list = (shape: Shape): Field => ({ shape, list: true })
/** A text that must be one of these. */
export const oneOf = (...names: readonly string[]): Shape => ({ oneOf: names })

const enabledOrDisabled = oneOf('Enabled', 'Disabled')
/** `<Status>` of many elements. */
export const status: Shape = { Status: required(enabledOrDisabled) }

const isObjectShape = (shape: Shape): shape is ObjectShape => typeof shape === 'object' && !('oneOf' in shape)

/** @throws {@link AwsError} MalformedXML */
export function readShape(node: XmlNode, shape: Shape): unknown {
  if (isObjectShape(shape)) return readObject(node, shape)
  if (typeof node !== 'string') throw malformedXml()
  if (shape === 'text') return node
  const text = node.trim()
  if (shape === 'integer') {
    if (!/^-?\d{1,19}$/.test(text) || !Number.isSafeInteger(Number(text))) throw malformedXml()
    return Number(text)
  }
  if (shape === 'boolean') {
    if (!/^(true|false)$/i.test(text)) throw malformedXml()
    return text.toLowerCase() === 'true'
  }
  if (shape === 'date') {
    const isIso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d))?$/.test(text)
    if (!isIso || Number.isNaN(Date.parse(text))) throw malformedXml()
    return new Date(text).toISOString()
  }
  if (!shape.oneOf.includes(text)) throw malformedXml()
  return text
}

function readObject(node: XmlNode, shape: ObjectShape): Record<string, unknown> {
  if (typeof node === 'string') {
    if (node.trim() !== '') throw malformedXml()
    node = {}
  }
  const value: Record<string, unknown> = {}
  for (const [name, children] of Object.entries(node)) {
    // Line breaks between elements.
    if (name === '#text' && typeof children === 'string' && children.trim() === '') continue
    const field = Object.hasOwn(shape, name) ? shape[name] : undefined
    if (field === undefined) throw malformedXml()
    const nodes = (Array.isArray(children) ? children : [children]) as readonly XmlNode[]
    if (nodes.length > 1 && !field.list) throw malformedXml()
    const values = nodes.map((child) => readShape(child, field.shape))
    value[name] = field.list ? values : values[0]
  }
  for (const [name, field] of Object.entries(shape)) if (field.required && value[name] === undefined) throw malformedXml()
  return value
}

/** The elements of a value that {@link readShape} gave. */
export function writeShape(value: unknown, shape: Shape): string {
  if (!isObjectShape(shape)) return escapeXml(String(value))
  const fields = value as Readonly<Record<string, unknown>>
  return Object.entries(shape)
    .flatMap(([name, field]) => {
      const found = fields[name]
      if (found === undefined) return []
      const values: readonly unknown[] = field.list ? (found as readonly unknown[]) : [found]
      return values.map((one) => element(name, writeShape(one, field.shape)))
    })
    .join('')
}
