/**
 * Whether two texts are the same letter by letter when case is left out of account. AWS gives each character of the *pattern* its lower and
 * its upper form, where that is one character: `ÄÖ` = `äö`, but `STRASSE` ≠ `straße`, and the Kelvin sign is no `K`.
 *
 * @see https://github.com/aws/event-ruler `EqualsIgnoreCaseParser`
 */
export function equalsIgnoringCase(pattern: string, text: string): boolean {
  if (pattern === text) return true
  const wanted = [...pattern]
  const given = [...text]
  return wanted.length === given.length && wanted.every((letter, i) => sameLetter(letter, given[i]!))
}

/** The same for the beginning of a text. */
export function startsIgnoringCase(pattern: string, text: string): boolean {
  const wanted = [...pattern]
  const given = [...text]
  return wanted.length <= given.length && wanted.every((letter, i) => sameLetter(letter, given[i]!))
}

/** The same for its end. */
export function endsIgnoringCase(pattern: string, text: string): boolean {
  const wanted = [...pattern]
  const given = [...text]
  const skip = given.length - wanted.length
  return skip >= 0 && wanted.every((letter, i) => sameLetter(letter, given[skip + i]!))
}

function sameLetter(wanted: string, given: string): boolean {
  return wanted === given || single(wanted.toLowerCase(), wanted) === given || single(wanted.toUpperCase(), wanted) === given
}

/** A form of more than one character is none for AWS. */
function single(form: string, letter: string): string {
  return [...form].length === 1 ? form : letter
}
