import { ConfigError } from '@pipe/core'
import type { Cell, CellContext } from './cell'
import type { Field, OwnSpec, RecordPlace } from './field-spec'
import { draw, scaleDraw } from './random'

/**
 * A field of your own. The function must be pure: no clock, no random source but `draw`, nothing kept from call to call; and of whole-number
 * arithmetic where values must be the same on every machine. `id` stands for the function in the configuration hash of the keys: change it
 * with the function, else changed bytes replace old ones.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for an empty id; {@link PipeError} `PIPE_FORMAT_VALUE` as records are made, when a value is not
 * of its column.
 * @example
 * ```ts
 * own('battery-1', ({ tick, draw }) => 100 - (tick % 90) - draw(3))
 * ```
 */
export function own<T>(id: string, make: (place: RecordPlace) => T): Field<T> {
  if (id === '') throw new ConfigError('own: the id is empty.', { hint: "Name the function and its version: 'battery-1'." })
  if (typeof make !== 'function') throw new ConfigError('own takes an id and a function.')
  return { spec: { kind: 'own', id, make } }
}

/** Makes the cell of a field by function. */
export function ownCell({ make }: OwnSpec, { keysOf, devices, timeOf }: CellContext): Cell {
  const keys = keysOf('own')
  return {
    draw: () => 0,
    value: (_drawn, { device, tick, draws }) => {
      // 1024 draws belong to a record.
      let next = draws * 1024
      const last = next + 1024
      return make({
        device: devices[device] as string,
        tick,
        eventTime: new Date(timeOf(device, tick)),
        draw: (below) => {
          if (!Number.isInteger(below) || below < 1 || below > 2 ** 32) {
            throw new ConfigError(`own: draw() takes a whole number from 1 to 2^32, not ${below}.`)
          }
          if (next === last) throw new ConfigError('own: a record has no more than 1024 draws.')
          return scaleDraw(draw(keys, device, next++), below)
        },
      })
    },
    form: { kind: 'text' },
  }
}
