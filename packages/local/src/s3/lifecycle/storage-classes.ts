/** The classes in the order in which an object may only fall (user guide, "Supported transitions"); some steps of the stairs are missing. */
const stairs = ['STANDARD_IA', 'INTELLIGENT_TIERING', 'ONEZONE_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE']

/** Whether lifecycle may move an object from a class to another. */
export function mayFall(from: string, to: string): boolean {
  if (from === 'STANDARD' || from === 'REDUCED_REDUNDANCY') return stairs.includes(to)
  const [upper, lower] = [stairs.indexOf(from), stairs.indexOf(to)]
  // One zone and instant retrieval do not become each other.
  return upper >= 0 && lower > upper && !(from === 'ONEZONE_IA' && to === 'GLACIER_IR')
}

/**
 * Which of several classes S3 moves an object to when all are due on one day, the first best: the archives, then tiering, then what costs less (user guide,
 * "Conflicting lifecycle actions").
 */
export const preferredClasses: readonly string[] = [
  'DEEP_ARCHIVE',
  'GLACIER',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'ONEZONE_IA',
  'STANDARD_IA',
]

const smallBytes = 128 * 1024

/** Whether an object may move although it is small; a rule with a size of its own decides by that alone. */
export function isLargeEnough(size: number, to: string, minimumSize: string): boolean {
  return size >= smallBytes || (minimumSize === 'varies_by_storage_class' && (to === 'GLACIER' || to === 'DEEP_ARCHIVE'))
}
