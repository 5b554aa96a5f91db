// What AWS rejects, as types: see validate.ts for the same rules at run time.
import type { IsBefore, IsLess, IsWhole } from './number-order'
import type { Mistake, Scope } from './scope'
import type { TransitionClass, Waterfall } from './storage-class'

/** A date at midnight UTC: `2027-01-31`. */
export type UtcDate = `${number}-${number}-${number}`

/** A transition by age in days since the object was written; 0 is the next midnight. */
export interface AgeTransition {
  readonly afterDays: number
  readonly to: TransitionClass
}

/** A transition at a date. It goes on acting on objects that are written later. */
export interface DateTransition {
  readonly on: UtcDate
  readonly to: TransitionClass
}

/** A transition of noncurrent versions, by days since they became noncurrent. */
export interface NoncurrentStep {
  readonly afterDays: number
  readonly to: TransitionClass
  /** So many of the newest noncurrent versions stay where they are, 1 to 100. */
  readonly keepNewest?: number | undefined
}

/** What happens to noncurrent versions. */
export interface NoncurrentActions {
  /** Ordered: warmer class and fewer days first. */
  readonly transitions?: readonly NoncurrentStep[] | undefined
  /** Deletes for good so many days after a version became noncurrent. */
  readonly expireAfterDays?: number | undefined
  /** So many of the newest noncurrent versions are never deleted, 1 to 100. Only with `expireAfterDays`. */
  readonly keepNewest?: number | undefined
}

/** What {@link lifecycleRule} takes. At least one action; days or dates, never both. */
export interface LifecycleRuleOptions {
  /** Which objects: {@link keyPrefix} and the like, or the whole bucket. */
  readonly scope: Scope
  /** Default `true`. */
  readonly enabled?: boolean | undefined
  /** Ordered: warmer class and fewer days (or earlier date) first; each class once. */
  readonly transitions?: readonly (AgeTransition | DateTransition)[] | undefined
  /** Deletes so many days after the object was written (adds a delete marker in a versioned bucket). More than every transition. */
  readonly expireAfterDays?: number | undefined
  /** The same at a date. It goes on deleting objects that are written later. */
  readonly expireOn?: UtcDate | undefined
  /** Removes delete markers that hide nothing any more. Only on a scope without tags and sizes, and without an expiry. */
  readonly removeExpiredMarkers?: true | undefined
  /** What happens to versions that are no longer the current one. */
  readonly noncurrent?: NoncurrentActions | undefined
  /** Aborts uploads so many days after they were begun. Only on a scope without tags and sizes. */
  readonly abortUploadsAfterDays?: number | undefined
}

/** R itself when AWS would accept it; else the offending field has the type of a {@link Mistake}. */
export type CheckedRule<R extends LifecycleRuleOptions> = {
  readonly [K in keyof R]: R[K] extends undefined
    ? R[K]
    : K extends 'scope'
      ? CheckedScope<R>
      : K extends 'transitions'
        ? R[K] extends readonly unknown[]
          ? CheckedSteps<R[K], 'age-or-date'>
          : R[K]
        : K extends 'expireAfterDays'
          ? CheckedExpiryDays<R>
          : K extends 'expireOn'
            ? CheckedExpiryDate<R>
            : K extends 'removeExpiredMarkers'
              ? CheckedMarkers<R>
              : K extends 'noncurrent'
                ? CheckedNoncurrent<NonNullable<R[K]>>
                : K extends 'abortUploadsAfterDays'
                  ? AtLeastOne<R[K]>
                  : K extends 'enabled'
                    ? R[K]
                    : Mistake<`a rule has no "${K & string}"`>
}

type Action = 'transitions' | 'expireAfterDays' | 'expireOn' | 'removeExpiredMarkers' | 'noncurrent' | 'abortUploadsAfterDays'

type CheckedScope<R extends LifecycleRuleOptions> = [keyof R & Action] extends [never]
  ? Mistake<'a rule needs at least one action'>
  : R['scope'] extends Scope<'prefix'>
    ? R['scope']
    : 'abortUploadsAfterDays' extends keyof R
      ? Mistake<'uploads have neither tags nor size: abortUploadsAfterDays needs a scope by prefix alone'>
      : 'removeExpiredMarkers' extends keyof R
        ? Mistake<'delete markers have neither tags nor size: removeExpiredMarkers needs a scope by prefix alone'>
        : R['scope']

type Step = AgeTransition | DateTransition | NoncurrentStep

type CheckedSteps<
  T extends readonly unknown[],
  Kind extends 'age-or-date' | 'noncurrent',
  Previous = undefined,
  Done extends readonly unknown[] = readonly [],
> = T extends readonly [infer Head extends Step, ...infer Rest]
  ? CheckedSteps<Rest, Kind, Head, readonly [...Done, CheckedStep<Head, Kind, Previous>]>
  : T extends readonly []
    ? Done extends readonly []
      ? Mistake<'an empty list of transitions is no action: leave it out'>
      : Done
    : T

type StepKeys = { readonly 'age-or-date': 'afterDays' | 'on' | 'to'; readonly noncurrent: 'afterDays' | 'to' | 'keepNewest' }

type CheckedStep<S extends Step, Kind extends keyof StepKeys, Previous> = [Exclude<keyof S, StepKeys[Kind]>] extends [never]
  ? S extends { readonly afterDays: infer Days extends number }
    ? 'on' extends keyof S
      ? Mistake<'a transition has days or a date, not both'>
      : IsWhole<Days> extends false
        ? Mistake<'days are a whole number, at least 0'>
        : S extends { readonly keepNewest: infer Count extends number }
          ? KeepCount<Count> extends Count
            ? CheckedOrder<S, Previous>
            : KeepCount<Count>
          : CheckedOrder<S, Previous>
    : CheckedOrder<S, Previous>
  : Mistake<`a transition has no "${Exclude<keyof S, StepKeys[Kind]> & string}"`>

type CheckedOrder<S extends Step, Previous> = Previous extends Step
  ? S['to'] extends Waterfall[Previous['to']]
    ? S extends { readonly afterDays: infer Days extends number }
      ? Previous extends { readonly afterDays: infer Before extends number }
        ? IsLess<Before, Days> extends true
          ? S
          : Mistake<'each transition must come later than the one before it'>
        : Mistake<'days and dates cannot be mixed in one rule'>
      : S extends { readonly on: infer At extends string }
        ? Previous extends { readonly on: infer Before extends string }
          ? IsBefore<Before, At> extends true
            ? S
            : Mistake<'each transition must come later than the one before it'>
          : Mistake<'days and dates cannot be mixed in one rule'>
        : S
    : Mistake<`${S['to']} cannot follow ${Previous['to']}`>
  : S

type Last<T> = T extends readonly [...unknown[], infer L] ? L : undefined

type CheckedExpiryDays<R extends LifecycleRuleOptions> =
  AtLeastOne<R['expireAfterDays']> extends R['expireAfterDays']
    ? 'expireOn' extends keyof R
      ? Mistake<'a rule expires after days or on a date, not both'>
      : Last<R['transitions']> extends { readonly on: string }
        ? Mistake<'days and dates cannot be mixed in one rule'>
        : Last<R['transitions']> extends { readonly afterDays: infer Days extends number }
          ? IsLess<Days, NonNullable<R['expireAfterDays']>> extends true
            ? R['expireAfterDays']
            : Mistake<'the expiry must come later than every transition'>
          : R['expireAfterDays']
    : AtLeastOne<R['expireAfterDays']>

type CheckedExpiryDate<R extends LifecycleRuleOptions> =
  Last<R['transitions']> extends { readonly afterDays: number }
    ? Mistake<'days and dates cannot be mixed in one rule'>
    : Last<R['transitions']> extends { readonly on: infer At extends string }
      ? IsBefore<At, NonNullable<R['expireOn']>> extends true
        ? R['expireOn']
        : Mistake<'the expiry must come later than every transition'>
      : R['expireOn']

type CheckedMarkers<R extends LifecycleRuleOptions> = 'expireAfterDays' extends keyof R
  ? Mistake<'an expiry by days removes such markers by itself: use a rule of its own'>
  : 'expireOn' extends keyof R
    ? Mistake<'an expiry by date removes such markers by itself: use a rule of its own'>
    : R['removeExpiredMarkers']

type CheckedNoncurrent<N extends NoncurrentActions> = [keyof N & ('transitions' | 'expireAfterDays')] extends [never]
  ? Mistake<'noncurrent needs transitions or expireAfterDays'>
  : {
      readonly [K in keyof N]: N[K] extends undefined
        ? N[K]
        : K extends 'transitions'
          ? N[K] extends readonly unknown[]
            ? CheckedSteps<N[K], 'noncurrent'>
            : N[K]
          : K extends 'expireAfterDays'
            ? CheckedNoncurrentExpiry<N>
            : K extends 'keepNewest'
              ? 'expireAfterDays' extends keyof N
                ? KeepCount<NonNullable<N['keepNewest']>>
                : Mistake<'keepNewest needs expireAfterDays'>
              : Mistake<`noncurrent has no "${K & string}"`>
    }

type CheckedNoncurrentExpiry<N extends NoncurrentActions> =
  AtLeastOne<N['expireAfterDays']> extends N['expireAfterDays']
    ? Last<N['transitions']> extends { readonly afterDays: infer Days extends number }
      ? IsLess<Days, NonNullable<N['expireAfterDays']>> extends true
        ? N['expireAfterDays']
        : Mistake<'the expiry must come later than every transition'>
      : N['expireAfterDays']
    : AtLeastOne<N['expireAfterDays']>

type AtLeastOne<Days> = Days extends number
  ? Days extends 0
    ? Mistake<'at least 1 day'>
    : IsWhole<Days> extends true
      ? Days
      : Mistake<'days are a whole number, at least 1'>
  : Days

type KeepCount<Count extends number> = Count extends 0
  ? Mistake<'keep 1 to 100 versions'>
  : IsWhole<Count> extends true
    ? IsLess<Count, 101> extends true
      ? Count
      : Mistake<'keep 1 to 100 versions'>
    : Mistake<'keep 1 to 100 versions'>
