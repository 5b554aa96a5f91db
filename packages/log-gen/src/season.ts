/** Steps of a full turn. */
export const turnSteps = 65_536
/** Height of the sine. */
export const sineOne = 65_536

const half = turnSteps / 2
const quarters = 1024
// Bhaskara's rational approximation, error below 0.2 %, in whole numbers: no Math.sin, which engines may round differently.
const halfTurn = Array.from({ length: quarters }, (_, i) => {
  const u = (i * half) / quarters
  const product = u * (half - u)
  return Math.floor((16 * product * 4096) / (5 * half * half - 4 * product)) * (sineOne / 4096)
})

/** Sine of a phase in 65 536ths of a turn, in 65 536ths. Stepwise over 2 048 steps. */
export function sine(phase: number): number {
  const turn = phase & (turnSteps - 1)
  const index = turn >>> 5
  return index < quarters ? (halfTurn[index] as number) : -(halfTurn[index - quarters] as number)
}
