import { ConfigError } from '@pipe/core'
import type { Cell, CellContext } from './cell'
import type { Field, IpSpec } from './field-spec'
import { draw, scaleDraw } from './random'

/**
 * An IPv4 address of a network. For string columns. `distinct` keeps to the first so many addresses of the network.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` when the network is not in CIDR notation (`10.0.0.0/8`), or `distinct` is not a number of its
 * addresses.
 */
export function ip(network: string, options: { readonly distinct?: number | undefined } = {}): Field<string> {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(network)
  const parts = match?.slice(1, 5).map(Number) ?? []
  const bits = Number(match?.[5])
  if (!match || parts.some((part) => part > 255) || bits > 32) {
    throw new ConfigError(`ip: ${JSON.stringify(network)} is no IPv4 network.`, { hint: "Write it as '10.0.0.0/8'." })
  }
  const size = 2 ** (32 - bits)
  const address = parts.reduce((sum, part) => sum * 256 + part, 0)
  if (address % size !== 0) throw new ConfigError(`ip: ${network} has bits set behind its prefix.`)
  const hosts = options.distinct ?? size
  if (!Number.isInteger(hosts) || hosts < 1 || hosts > size) {
    throw new ConfigError(`ip: "distinct" must be a whole number from 1 to ${size}, not ${hosts}.`)
  }
  return { spec: { kind: 'ip', network: address, hosts } }
}

/** Makes the cell of an address. */
export function ipCell({ network, hosts }: IpSpec, { keysOf }: CellContext): Cell {
  const keys = keysOf('ip')
  return {
    draw: ({ device, draws }) => network + scaleDraw(draw(keys, device, draws), hosts),
    value: (address) => `${Math.floor(address / 16_777_216)}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`,
    form: { kind: 'text' },
  }
}
