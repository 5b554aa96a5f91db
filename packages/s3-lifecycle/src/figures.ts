/** `512 B`, `1.5 MiB`. */
export function byteSize(bytes: number): string {
  if (bytes < 1024) return `${Number(bytes.toPrecision(3))} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10))
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${units[power - 1]}`
}

/** `16 777 216`. */
export function count(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+(?!\d))/g, ' ')
}

/** `1 object`, `3 objects`. */
export function objects(value: number): string {
  return `${count(value)} ${value === 1 ? 'object' : 'objects'}`
}

/** `283 USD`, `41.88 USD`: cents below 100. */
export function money(amount: number, currency: string): string {
  const text = Math.abs(amount) < 100 ? amount.toFixed(2) : count(Math.round(amount))
  return `${text} ${currency}`
}

/** `2026-11-24`. */
export function dateText(date: Date | number): string {
  return new Date(date).toISOString().slice(0, 10)
}
