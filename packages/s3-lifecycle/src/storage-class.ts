/** Classes that a lifecycle transition can move an object to. */
export type TransitionClass = 'STANDARD_IA' | 'INTELLIGENT_TIERING' | 'ONEZONE_IA' | 'GLACIER_IR' | 'GLACIER' | 'DEEP_ARCHIVE'

/** Classes that an object of a general purpose bucket can be in. `REDUCED_REDUNDANCY` is one of the past. */
export type ObjectClass = 'STANDARD' | 'REDUCED_REDUNDANCY' | TransitionClass

/**
 * What each class may become, as a type: the waterfall of the user guide ("Supported transitions"). Never back to STANDARD.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
 */
export interface Waterfall {
  readonly STANDARD: TransitionClass
  readonly REDUCED_REDUNDANCY: TransitionClass
  readonly STANDARD_IA: Exclude<TransitionClass, 'STANDARD_IA'>
  readonly INTELLIGENT_TIERING: 'ONEZONE_IA' | 'GLACIER_IR' | 'GLACIER' | 'DEEP_ARCHIVE'
  readonly ONEZONE_IA: 'GLACIER' | 'DEEP_ARCHIVE'
  readonly GLACIER_IR: 'GLACIER' | 'DEEP_ARCHIVE'
  readonly GLACIER: 'DEEP_ARCHIVE'
  readonly DEEP_ARCHIVE: never
}

/** The classes of {@link TransitionClass}, warmest first. */
export const transitionClasses: readonly TransitionClass[] = [
  'STANDARD_IA',
  'INTELLIGENT_TIERING',
  'ONEZONE_IA',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
]

const moves: { readonly [From in ObjectClass]: readonly Waterfall[From][] } = {
  STANDARD: transitionClasses,
  REDUCED_REDUNDANCY: transitionClasses,
  STANDARD_IA: ['INTELLIGENT_TIERING', 'ONEZONE_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE'],
  INTELLIGENT_TIERING: ['ONEZONE_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE'],
  ONEZONE_IA: ['GLACIER', 'DEEP_ARCHIVE'],
  GLACIER_IR: ['GLACIER', 'DEEP_ARCHIVE'],
  GLACIER: ['DEEP_ARCHIVE'],
  DEEP_ARCHIVE: [],
}

/** Whether a text names a class that a transition can go to. */
export function isTransitionClass(name: unknown): name is TransitionClass {
  return transitionClasses.includes(name as TransitionClass)
}

/**
 * Whether lifecycle may move an object from one class to another. A class that is not known (EXPRESS_ONEZONE, OUTPOSTS …) cannot move.
 *
 * @example
 * ```ts
 * canTransition('ONEZONE_IA', 'GLACIER_IR') // false
 * ```
 */
export function canTransition(from: string, to: TransitionClass): boolean {
  return Object.hasOwn(moves, from) && (moves[from as ObjectClass] as readonly TransitionClass[]).includes(to)
}

/**
 * Which of several transitions that are due on one day S3 takes, best first: GLACIER and DEEP_ARCHIVE before INTELLIGENT_TIERING before
 * the cheaper of the others; between the two archives the cheaper one (user guide, "Conflicting lifecycle actions").
 */
export const transitionPreference: readonly TransitionClass[] = [
  'DEEP_ARCHIVE',
  'GLACIER',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'ONEZONE_IA',
  'STANDARD_IA',
]

/** Classes whose objects must be restored before they can be read. */
export function isArchived(storageClass: string): boolean {
  return storageClass === 'GLACIER' || storageClass === 'DEEP_ARCHIVE'
}

/** Below this size (128 KiB) S3 moves nothing by default. */
export const smallObjectBytes = 131_072

/**
 * Which objects below 128 KiB a configuration moves: none (`all_storage_classes_128K`, the default), or those that go to GLACIER or
 * DEEP_ARCHIVE (`varies_by_storage_class`). A size filter on a rule switches the default off for that rule.
 */
export type MinimumSizeMode = 'all_storage_classes_128K' | 'varies_by_storage_class'

/** The modes of {@link MinimumSizeMode}; the first is what a bucket has from the start. */
export const minimumSizeModes: readonly MinimumSizeMode[] = ['all_storage_classes_128K', 'varies_by_storage_class']

/** Whether an object is too small for a transition of a rule without a size filter. */
export function isTooSmall(sizeBytes: number, to: TransitionClass, mode: MinimumSizeMode): boolean {
  return sizeBytes < smallObjectBytes && !(mode === 'varies_by_storage_class' && isArchived(to))
}
