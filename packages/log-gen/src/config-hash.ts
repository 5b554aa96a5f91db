import { createHash } from 'node:crypto'

/** Eight hexadecimal digits over a configuration, independent of the order of its keys. */
export function configHash(config: unknown): string {
  return createHash('sha256').update(canonical(config)).digest('hex').slice(0, 8)
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined && typeof item !== 'function')
    entries.sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`
  }
  // Infinity has no JSON text.
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'undefined')
}
