/** Bytes for people. */
export const bytes = (n: number): string =>
  n >= 1_048_576 ? `${(n / 1_048_576).toFixed(2)} MiB` : `${(n / 1024).toFixed(1)} KiB`

/** A number with its thousands apart. */
export const count = (n: number): string => n.toLocaleString('en-US')
