/** A decimal number as text takes it: `unscaled` · 10^-`scale`; the scale may be negative. */
export interface ExactDecimal {
  readonly unscaled: bigint
  readonly scale: number
}

/** Reads a decimal number with all its digits: `'51.846000000000004'`, `'1e-5'`. `undefined` for `NaN` and the infinities. */
export function exactDecimal(text: string): ExactDecimal | undefined {
  const match = /^(-?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text)
  const digits = match ? `${match[2]}${match[3]}` : ''
  if (!match || digits === '') return undefined
  return { unscaled: BigInt(`${match[1]}${digits}`), scale: (match[3] as string).length - Number(match[4] ?? '0') }
}

/** The same number at another scale, which must not be smaller. */
export function atScale({ unscaled, scale }: ExactDecimal, wanted: number): bigint {
  return unscaled * 10n ** BigInt(wanted - scale)
}
