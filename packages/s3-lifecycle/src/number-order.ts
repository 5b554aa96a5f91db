// Comparisons of literal numbers and dates in types. What is no literal (a plain `number`) cannot be known: it passes, and the run time checks it.
type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'

interface Above {
  readonly '0': Exclude<Digit, '0'>
  readonly '1': Exclude<Digit, '0' | '1'>
  readonly '2': '3' | '4' | '5' | '6' | '7' | '8' | '9'
  readonly '3': '4' | '5' | '6' | '7' | '8' | '9'
  readonly '4': '5' | '6' | '7' | '8' | '9'
  readonly '5': '6' | '7' | '8' | '9'
  readonly '6': '7' | '8' | '9'
  readonly '7': '8' | '9'
  readonly '8': '9'
  readonly '9': never
}

/** Whether the first of two texts of digits, equally long, is the smaller number. */
type DigitsBelow<A extends string, B extends string> = A extends `${infer DigitA extends Digit}${infer RestA}`
  ? B extends `${infer DigitB extends Digit}${infer RestB}`
    ? DigitA extends DigitB
      ? DigitsBelow<RestA, RestB>
      : DigitB extends Above[DigitA]
        ? true
        : false
    : false
  : false

type Shorter<A extends string, B extends string> = A extends `${Digit}${infer RestA}`
  ? B extends `${Digit}${infer RestB}`
    ? Shorter<RestA, RestB>
    : false
  : B extends `${Digit}${string}`
    ? true
    : 'equal'

/** `true` when whole number A is less than B, or when one of them is no literal. */
export type IsLess<A extends number, B extends number> = number extends A
  ? true
  : number extends B
    ? true
    : Shorter<`${A}`, `${B}`> extends 'equal'
      ? DigitsBelow<`${A}`, `${B}`>
      : Shorter<`${A}`, `${B}`>

/** `true` when N is a whole number of at least 0, or no literal. */
export type IsWhole<N extends number> = number extends N
  ? true
  : `${N}` extends `-${string}` | `${string}.${string}` | `${string}e${string}`
    ? false
    : true

type DateDigits<D extends string> = D extends `${infer Year}-${infer Month}-${infer Day}` ? `${Year}${Month}${Day}` : ''

/** `true` when date A (`2027-01-31`) is before B, or when one of them is no literal. */
export type IsBefore<A extends string, B extends string> =
  IsDateLiteral<A> extends true ? (IsDateLiteral<B> extends true ? DigitsBelow<DateDigits<A>, DateDigits<B>> : true) : true

/** `false` for `string` and for the template type of all dates. */
type IsDateLiteral<D extends string> = `${number}-${number}-${number}` extends D ? false : true
