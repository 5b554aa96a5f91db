// Numbers as people read them, for advice and tables.

/** `12.5/s` */
export function rate(perSecond: number): string {
  return `${figure(perSecond)}/s`
}

/** `36 000 records` */
export function count(messages: number): string {
  return `${figure(messages)} ${messages === 1 ? 'record' : 'records'}`
}

/** Three digits, or all before the point, in groups of three: `36 000`, `0.125`. */
export function figure(value: number): string {
  const rounded = Math.abs(value) >= 100 || Number.isInteger(value) ? Math.round(value) : Number(value.toPrecision(3))
  return String(rounded).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ' ')
}

/** `46 %` */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

/** `45 s`, `12 min`, `3 h`, `2.5 days`. */
export function seconds(value: number): string {
  if (!Number.isFinite(value)) return 'never'
  if (value < 1) return value === 0 ? '0 s' : '< 1 s'
  if (value < 120) return `${Math.round(value)} s`
  if (value < 7200) return `${Math.round(value / 60)} min`
  if (value < 172_800) return `${Number((value / 3600).toPrecision(2))} h`
  return `${Number((value / 86_400).toPrecision(2))} days`
}

/** `512 B`, `1.5 MiB`. */
export function byteSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10))
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${units[power - 1]}`
}
