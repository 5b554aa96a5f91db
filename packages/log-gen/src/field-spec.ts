import type { EpisodeSpec } from './episode'

/** What a field is made of, as plain data: it stands in the configuration hash. */
export type FieldSpec =
  | MeasureSpec
  | { readonly kind: 'choice' | 'tag'; readonly values: readonly unknown[]; readonly weights?: readonly number[] | undefined }
  | { readonly kind: 'sequence' }
  | { readonly kind: 'hex'; readonly digits: number }
  | { readonly kind: 'emit-time' }
  | { readonly kind: 'sometimes-null'; readonly rate: number; readonly field: FieldSpec }
  | CounterSpec
  | TextSpec
  | IpSpec
  | NestedSpec
  | OwnSpec

/** How a column is filled. `T` is the type of its values. */
export interface Field<T = unknown> {
  readonly spec: FieldSpec
  /** Only a type: never present at run time. */
  readonly '~value'?: T
}

/** A measure with every number scaled to whole units of 10^-scale. */
export interface MeasureSpec {
  readonly kind: 'measure'
  readonly scale: number
  readonly base: readonly [number, number]
  readonly season: { readonly amplitude: number; readonly periodMs: number } | undefined
  readonly drift: { readonly amplitude: number; readonly periodMs: number } | undefined
  readonly noise: number
  readonly min: number | undefined
  readonly max: number | undefined
  readonly spike: (SpikeSpec & { readonly by: number }) | undefined
  readonly shift: (EpisodeSpec & { readonly by: number }) | undefined
  readonly stuck: EpisodeSpec | undefined
}

/** A spike lasts one record, whatever the interval of the log. */
interface SpikeSpec {
  readonly rate: number
  readonly everyMs: number
}

/** Spec of {@link counter}. */
export interface CounterSpec {
  readonly kind: 'counter'
  readonly step: number
}

/** Spec of {@link text}. */
export interface TextSpec {
  readonly kind: 'text'
  readonly words: readonly [number, number]
  readonly from: readonly string[]
}

/** Spec of {@link ip}. */
export interface IpSpec {
  readonly kind: 'ip'
  readonly network: number
  readonly hosts: number
}

/** Spec of {@link nested}. */
export interface NestedSpec {
  readonly kind: 'nested'
  readonly fields: Readonly<Record<string, FieldSpec>>
}

/** What a field of your own may look at. */
export interface RecordPlace {
  readonly device: string
  /** Number of the device's slot since 1970. */
  readonly tick: number
  /** When it happened, by a clock that is right. */
  readonly eventTime: Date
  /** The next seeded whole number from 0 to `below` − 1: the same ones for the same record. */
  draw(below: number): number
}

/** Spec of {@link own}. The function does not stand in the configuration hash: `id` stands for it. */
export interface OwnSpec {
  readonly kind: 'own'
  readonly id: string
  readonly make: (place: RecordPlace) => unknown
}
