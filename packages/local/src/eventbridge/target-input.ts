import { type JsonPath, parseJsonPath, valueAt } from './json-path'
import { type Input, refuseUnknown, requiredText, textOf, validationError } from './request-input'

/** What a target is sent instead of the event. */
export interface TargetInput {
  /** JSON text. */
  readonly input?: string
  readonly inputPath?: string
  readonly transformer?: { readonly paths: Readonly<Record<string, string>>; readonly template: string }
}

const maxInputLength = 8192
const maxPaths = 100

/** Reads `Input`, `InputPath` or `InputTransformer` of a target. @throws AwsError ValidationException */
export function readTargetInput(target: Input, id: string): TargetInput {
  const [input, inputPath, transformer] = [textOf(target, 'Input'), textOf(target, 'InputPath'), target['InputTransformer']]
  if ([input, inputPath, transformer ?? undefined].filter((one) => one !== undefined).length > 1) {
    throw validationError(`Only one of Input, InputPath, or InputTransformer must be provided for target ${id}.`)
  }
  if (input !== undefined) {
    if (input.length > maxInputLength) throw validationError(`Input of target ${id} is longer than ${maxInputLength} characters.`)
    try {
      JSON.parse(input)
    } catch (error) {
      throw validationError(`Parameter Input of target ${id} is not valid. JSON syntax error: ${(error as Error).message}`)
    }
    return { input }
  }
  if (inputPath !== undefined) {
    if (!parseJsonPath(inputPath)) throw validationError(`Parameter InputPath of target ${id} is not valid: ${inputPath}`)
    return { inputPath }
  }
  return transformer === undefined || transformer === null ? {} : { transformer: readTransformer(transformer as Input, id) }
}

function readTransformer(transformer: Input, id: string): NonNullable<TargetInput['transformer']> {
  refuseUnknown('PutTargets, InputTransformer', transformer, ['InputPathsMap', 'InputTemplate'])
  const paths = (transformer['InputPathsMap'] ?? {}) as Readonly<Record<string, string>>
  const template = requiredText(transformer, 'InputTemplate', /^[\s\S]{1,8192}$/)
  if (Object.keys(paths).length > maxPaths)
    throw validationError(`InputPathsMap of target ${id} has more than ${maxPaths} entries.`)
  for (const [name, path] of Object.entries(paths)) {
    if (!/^[A-Za-z0-9_-]{1,256}$/.test(name) || name.startsWith('AWS'))
      throw validationError(`InputPathsMap of target ${id} has a wrong name: ${name}`)
    if (!parseJsonPath(path)) throw validationError(`InputPathsMap of target ${id} has a wrong path: ${path}`)
  }
  for (const [, name] of template.matchAll(/<([^<>\s"]+)>/g)) {
    if (Object.hasOwn(paths, name!) || reserved.has(name!)) continue
    throw validationError(`InputTemplate for target ${id} contains invalid placeholder ${name}.`)
  }
  return { paths, template }
}

const reserved = new Set([
  'aws.events.rule-arn',
  'aws.events.rule-name',
  'aws.events.event.ingestion-time',
  'aws.events.event',
  'aws.events.event.json',
])

/** The text that a target is sent for an event, of which `text` is the JSON. */
export function targetText(
  { input, inputPath, transformer }: TargetInput,
  event: object,
  text: string,
  rule: { readonly arn: string; readonly name: string },
): string {
  if (input !== undefined) return input
  if (inputPath !== undefined) return JSON.stringify(valueAt(event, parseJsonPath(inputPath)!) ?? null)
  if (!transformer) return text
  const values = new Map<string, unknown>([
    ['aws.events.rule-arn', rule.arn],
    ['aws.events.rule-name', rule.name],
    ['aws.events.event.ingestion-time', (event as { readonly time?: string }).time],
    ['aws.events.event', withoutDetail(event)],
    ['aws.events.event.json', event],
    ...Object.entries(transformer.paths).map(([name, path]): [string, unknown] => [
      name,
      valueAt(event, parseJsonPath(path) as JsonPath),
    ]),
  ])
  return fill(transformer.template, values)
}

function withoutDetail(event: object): object {
  const { detail: _, ...rest } = event as { readonly detail?: unknown }
  return rest
}

/**
 * Fills a template. Outside of quotes a value stands as JSON; inside, as its text, and a value that is no text as JSON with its quotes escaped. A value
 * that the event does not have is an empty text.
 */
function fill(template: string, values: ReadonlyMap<string, unknown>): string {
  let [filled, isQuoted] = ['', false]
  for (let at = 0; at < template.length; at++) {
    const char = template[at]!
    const placeholder = char === '<' ? /<([^<>\s"]+)>/y : undefined
    if (placeholder) placeholder.lastIndex = at
    const match = placeholder?.exec(template)
    if (match && values.has(match[1]!)) {
      const value = values.get(match[1]!) ?? ''
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      filled += isQuoted ? JSON.stringify(text).slice(1, -1) : JSON.stringify(value)
      at += match[0].length - 1
      continue
    }
    if (char === '\\' && isQuoted) {
      filled += char + (template[++at] ?? '')
      continue
    }
    if (char === '"') isQuoted = !isQuoted
    filled += char
  }
  return filled
}
