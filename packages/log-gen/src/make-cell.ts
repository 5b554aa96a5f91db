import type { Column } from '@pipe/core'
import { type Cell, type CellContext, fillCell, nullDraw } from './cell'
import { counterCell } from './counter-field'
import type { FieldSpec } from './field-spec'
import { ipCell } from './ip-field'
import { measureCell } from './measure'
import { nestedCell } from './nested-field'
import { ownCell } from './own-field'
import { draw, rateThreshold, scaleDraw } from './random'
import { textCell } from './text-field'

/** Makes the cell of a field. */
export function makeCell(spec: FieldSpec, column: Column, context: CellContext): Cell {
  const { keysOf } = context
  const { type } = column
  switch (spec.kind) {
    case 'measure':
      return measureCell(spec, column, context)
    case 'choice': {
      const keys = keysOf('choice')
      const pick = picker(spec.values.length, spec.weights)
      return {
        draw: ({ device, draws }) => pick(draw(keys, device, draws)),
        value: (drawn) => spec.values[drawn],
        form: { kind: 'values', values: spec.values },
      }
    }
    case 'tag': {
      const keys = keysOf('tag')
      const places = Array.from(keys.first, (_, device) => scaleDraw(draw(keys, device, 0), spec.values.length))
      return {
        draw: ({ device }) => places[device] as number,
        value: (drawn) => spec.values[drawn],
        form: { kind: 'device-value', values: places.map((place) => spec.values[place]) },
      }
    }
    case 'sequence': {
      const isBig = type.kind === 'bigint'
      return {
        draw: ({ device, tick }) => context.ordinalOf(device, tick),
        fill: ({ count, device, tick }, into) => {
          for (let i = 0; i < count; i++) into[i] = context.ordinalOf(device[i] as number, tick[i] as number)
        },
        value: (drawn) => (isBig ? BigInt(drawn) : drawn),
        form: { kind: 'scaled', scale: 0, fixedDigits: -1, isShared: true },
      }
    }
    case 'counter':
      return counterCell(spec, type.kind === 'bigint', context)
    case 'hex': {
      const words = Array.from({ length: Math.ceil(spec.digits / 8) }, (_, i) => keysOf(`hex${i}`))
      return {
        draw: () => 0,
        value: (_drawn, { device, draws }) =>
          words
            .map((keys) => draw(keys, device, draws).toString(16).padStart(8, '0'))
            .join('')
            .slice(0, spec.digits),
        form: { kind: 'text' },
      }
    }
    case 'text':
      return textCell(spec, context)
    case 'ip':
      return ipCell(spec, context)
    case 'nested':
      return nestedCell(spec, type.kind === 'struct' ? type.fields : {}, context, makeCell)
    case 'own':
      return ownCell(spec, context)
    case 'emit-time': {
      const digits = (type as { precision: number }).precision
      const unit = 10 ** (3 - digits)
      return {
        draw: ({ emitTime }) => Math.floor(emitTime / unit) * unit,
        value: (drawn) => new Date(drawn),
        form: { kind: 'instant', digits },
      }
    }
    case 'sometimes-null': {
      const inner = makeCell(spec.field, column, context)
      const keys = keysOf('null')
      const threshold = rateThreshold(spec.rate)
      // Where some records have no value, those of a device are not all the same.
      const form =
        inner.form.kind === 'device-value'
          ? { kind: 'values' as const, values: tagValues(spec.field) }
          : inner.form.kind === 'scaled'
            ? { ...inner.form, isShared: false }
            : inner.form
      return {
        ...inner,
        draw: (line) => (draw(keys, line.device, line.draws) < threshold ? nullDraw : inner.draw(line)),
        fill: (block, into) => {
          fillCell(inner, block, into)
          const { count, device, draws } = block
          for (let i = 0; i < count; i++) {
            if (draw(keys, device[i] as number, draws[i] as number) < threshold) into[i] = nullDraw
          }
        },
        value: (drawn, line) => (drawn === nullDraw ? null : inner.value(drawn, line)),
        form,
      }
    }
  }
}

function tagValues(spec: FieldSpec): readonly unknown[] {
  return spec.kind === 'tag' ? spec.values : []
}

function picker(count: number, weights: readonly number[] | undefined): (bits: number) => number {
  if (!weights) return (bits) => scaleDraw(bits, count)
  const table = weights.flatMap((weight, index) => new Array<number>(weight).fill(index))
  return (bits) => table[scaleDraw(bits, table.length)] as number
}
