import { PipeError } from '@pipe/core'
import { numberOfText } from './json-number'
import { type JsonNode, positionOf, readJsonSource } from './json-source'

/** An event: JSON text, or the value of it. Only text keeps the digits of large numbers. */
export type EventInput = string | object

/** The event as a tree of plain values, large numbers as `JsonNumber`. @throws PipeError `PIPE_EVENT_JSON` when it is no JSON object. */
export function eventOf(event: EventInput): object {
  const value: unknown = typeof event === 'string' ? parseText(event) : event
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new PipeError(
    'PIPE_EVENT_JSON',
    `The event is ${value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value}, not an object.`,
  )
}

/** A number that `JSON.parse` may change: sixteen digits, or an exponent. */
const largeNumber = /[\d.]{16}|\d[eE]/

function parseText(text: string): unknown {
  if (!largeNumber.test(text)) {
    try {
      return JSON.parse(text)
    } catch {
      // Read again below, which says where it is wrong.
    }
  }
  const read = readJsonSource(text)
  if ('node' in read) return plainValue(read.node)
  const { line, column } = positionOf(text, read.fault.at)
  throw new PipeError('PIPE_EVENT_JSON', `The event is no JSON: line ${line}, column ${column}: ${read.fault.problem}.`, {
    details: { line, column },
  })
}

function plainValue(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object':
      // fromEntries defines own properties, so the key "__proto__" is a key like any other.
      return Object.fromEntries(node.members.map(({ key, value }) => [key, plainValue(value)]))
    case 'array':
      return node.items.map(plainValue)
    case 'number':
      return numberOfText(node.text)
    default:
      return node.value
  }
}

/** A number of an event that was given as an object, when it may have lost digits. @throws PipeError `PIPE_EVENT_NUMBER` */
export function refuseLostDigits(value: number, path: string): void {
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return
  throw new PipeError(
    'PIPE_EVENT_NUMBER',
    `The event's ${path} is ${value}: an integer beyond 2^53 may have lost digits in JavaScript.`,
    {
      hint: 'Match the JSON text of the event, or a BigInt.',
      details: { path },
    },
  )
}
