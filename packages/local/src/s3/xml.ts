import type { XMLParser } from 'fast-xml-parser'
import { AwsError } from '../service'

/** Name space of the S3 API. */
export const s3Namespace = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** `<name>text</name>` with the text escaped; nothing when it is undefined. */
export function textElement(name: string, text: string | number | boolean | undefined): string {
  return text === undefined ? '' : `<${name}>${escapeXml(String(text))}</${name}>`
}

/** `<name>content</name>`, the content being XML already. */
export function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`
}

/** A whole answer document in the S3 name space. */
export function xmlDocument(root: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${s3Namespace}">${content}</${root}>`
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Escapes text for XML. Control characters become numeric references, as S3 writes them, although XML 1.0 has no place for most. */
export function escapeXml(text: string): string {
  return text.replace(
    /[&<>"\u0000-\u001f\u007f]/g,
    (character) => escapes[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  )
}

/** An element as read: its text, or its children by name. */
export type XmlNode = string | { readonly [name: string]: XmlNode | readonly XmlNode[] }

let parser: XMLParser | undefined

/**
 * Reads an XML body whose root element is `root`.
 *
 * @throws {@link AwsError} MalformedXML
 */
export async function readXml(body: Buffer, root: string): Promise<XmlNode> {
  // Loaded with the first body: most runs of the runtime need no XML reader to start.
  const { XMLParser, XMLValidator } = await import('fast-xml-parser')
  parser ??= new XMLParser({
    ignoreAttributes: true,
    ignoreDeclaration: true,
    removeNSPrefix: true,
    parseTagValue: false,
    trimValues: false,
    processEntities: { enabled: true, maxTotalExpansions: Number.POSITIVE_INFINITY, maxExpandedLength: Number.POSITIVE_INFINITY },
    htmlEntities: true,
  })
  const text = body.toString('utf8')
  if (/<!DOCTYPE/i.test(text) || XMLValidator.validate(text) !== true) throw malformedXml()
  const document = parser.parse(text) as { readonly [name: string]: XmlNode }
  const found = document[root]
  if (found === undefined) throw malformedXml()
  return found
}

/** The error for a body that is not the XML that the operation takes. */
export function malformedXml(): AwsError {
  return new AwsError(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
    400,
  )
}

/** The children of `node` called `name`. */
export function childNodes(node: XmlNode, name: string): readonly XmlNode[] {
  if (typeof node === 'string') return []
  const child = node[name]
  return child === undefined ? [] : Array.isArray(child) ? child : [child as XmlNode]
}

/** The text of the child `name`, or undefined when it is absent. */
export function childText(node: XmlNode, name: string): string | undefined {
  const [child] = childNodes(node, name)
  if (child === undefined) return undefined
  if (typeof child !== 'string') throw malformedXml()
  return child
}
