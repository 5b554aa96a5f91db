import { ConfigError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { Cell, CellContext } from './cell'
import type { Field, TextSpec } from './field-spec'
import { draw, scaleDraw } from './random'

const usualWords: readonly string[] =
  'connection retry timeout cache user session request upstream queue worker started stopped failed accepted closed slow disk memory node route token expired'.split(
    ' ',
  )

/**
 * Words with blanks between them, such as a message: `[3, 12]` of them, drawn out of `from` (default: two dozen words of system logs).
 * For string columns. Words may hold anything, quotes, delimiters and line ends too.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for an unknown option, no words, or a range that is none.
 */
export function text(
  options: {
    readonly words?: readonly [min: number, max: number] | undefined
    readonly from?: readonly string[] | undefined
  } = {},
): Field<string> {
  checkOptions('text', options, { optional: ['words', 'from'] })
  const { words = [3, 12], from = usualWords } = options
  const [least, most] = words
  if (!Number.isInteger(least) || !Number.isInteger(most) || least < 1 || most < least || most > 1000) {
    throw new ConfigError('text: "words" must be two whole numbers from 1 to 1000, the smaller one first.')
  }
  if (from.length === 0) throw new ConfigError('text: "from" needs at least one word.')
  return { spec: { kind: 'text', words: [least, most], from } }
}

/** Makes the cell of a text. */
export function textCell({ words: [least, most], from }: TextSpec, { keysOf }: CellContext): Cell {
  const keys = keysOf('text')
  return {
    draw: () => 0,
    value: (_drawn, { device, draws }) => {
      // One counter a word: 1024 of them belong to a record.
      const first = draws * 1024
      const count = least + scaleDraw(draw(keys, device, first), most - least + 1)
      let words = ''
      for (let i = 1; i <= count; i++)
        words += `${i === 1 ? '' : ' '}${from[scaleDraw(draw(keys, device, first + i), from.length)]}`
      return words
    },
    form: { kind: 'text' },
  }
}
