import { ConfigError } from '@pipe/core'
import type { Cell, CellContext } from './cell'
import type { CounterSpec, Field } from './field-spec'
import { draw, scaleDraw } from './random'

/**
 * A counter that only grows: by 1 to 2 · `step` − 1 with each record, by `step` on average (bytes sent, requests served). It begins at 0
 * with a reboot (`anomalies.reboot`), else in 1970. For bigint columns, and for integer columns while it fits 32 bits.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` when `step` is no whole number from 1 to 1000000.
 */
export function counter(options: { readonly step: number } = { step: 1 }): Field<number | bigint> {
  const { step } = options
  if (!Number.isInteger(step) || step < 1 || step > 1_000_000) {
    throw new ConfigError(`counter: "step" must be a whole number from 1 to 1000000, not ${step}.`)
  }
  return { spec: { kind: 'counter', step } }
}

/** Makes the cell of a counter: n · step plus less than one step, so it grows without anything being carried from record to record. */
export function counterCell({ step }: CounterSpec, isBig: boolean, { keysOf, ordinalOf }: CellContext): Cell {
  const keys = keysOf('counter')
  return {
    draw: ({ device, tick, draws }) => ordinalOf(device, tick) * step + scaleDraw(draw(keys, device, draws), step),
    value: (drawn) => (isBig ? BigInt(drawn) : drawn),
    form: { kind: 'scaled', scale: 0, fixedDigits: -1 },
  }
}
