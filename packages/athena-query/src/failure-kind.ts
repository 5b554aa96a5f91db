/** What kind of failure an AthenaError is. */
export type AthenaFailureKind =
  | 'resources'
  | 'internal'
  | 'commit-conflict'
  | 'permission'
  | 'writing-results'
  | 'syntax'
  | 'cancelled'
  | 'data'
  | 'argument'
  | 'output-location'
  | 'throttled'
  | 'capacity'
  | 'user'
  | 'other'

interface ErrorRange {
  readonly from: number
  readonly to: number
  readonly kind: AthenaFailureKind
  /** Whether the same statement may succeed later. Athena's own word goes first. */
  readonly retryable: boolean
}

const one = (type: number, kind: AthenaFailureKind, retryable = false): ErrorRange => ({ from: type, to: type, kind, retryable })

/** AthenaError.ErrorType → kind, the narrow ranges first (Athena user guide, "Athena error catalog"). */
const errorTypes: readonly ErrorRange[] = [
  one(233, 'commit-conflict', true),
  one(234, 'permission'),
  one(401, 'writing-results'),
  one(402, 'writing-results'),
  one(1006, 'syntax'),
  one(1011, 'cancelled'),
  one(1014, 'cancelled'),
  one(1306, 'output-location'),
  one(1602, 'capacity', true),
  { from: 0, to: 8, kind: 'resources', retryable: true },
  { from: 100, to: 499, kind: 'internal', retryable: true },
  { from: 1000, to: 1099, kind: 'data', retryable: false },
  { from: 1100, to: 1199, kind: 'argument', retryable: false },
  { from: 1400, to: 1409, kind: 'throttled', retryable: true },
  { from: 1500, to: 1599, kind: 'permission', retryable: false },
]

/** The kind of an AthenaError and whether the statement may succeed later, by its number and, for unknown numbers, its category. */
export function failureKindOf(
  type: number | undefined,
  category: number | undefined,
): { readonly kind: AthenaFailureKind; readonly retryable: boolean } {
  const known = type === undefined ? undefined : errorTypes.find(({ from, to }) => type >= from && type <= to)
  if (known) return known
  if (category === 1) return { kind: 'internal', retryable: true }
  return { kind: category === 2 ? 'user' : 'other', retryable: false }
}
