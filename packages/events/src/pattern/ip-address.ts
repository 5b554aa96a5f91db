/** First and last address of a block, as hexadecimal digits: 8 for IPv4, 32 for IPv6. Texts of one length compare as the addresses do. */
export interface AddressRange {
  readonly first: string
  readonly last: string
}

/**
 * The address in hexadecimal digits (8 or 32), or `undefined` when the text is none. As with AWS, an IPv6 text may not hold dots, and an
 * IPv4-mapped one (`::ffff:a00:1`) is the IPv4 address.
 */
export function addressDigits(text: string): string | undefined {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(text)) {
    const bytes = text.split('.').map(Number)
    return bytes.every((byte) => byte <= 255) ? bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('') : undefined
  }
  if (!/^[0-9a-fA-F:]*:[0-9a-fA-F:]*$/.test(text)) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const zeros = 8 - head!.length - (tail?.length ?? 0)
  if (tail === undefined ? zeros !== 0 : zeros < 1) return undefined
  const groups = [...head!, ...Array<string>(tail === undefined ? 0 : zeros).fill('0'), ...(tail ?? [])]
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  const digits = groups.map((group) => group.toLowerCase().padStart(4, '0')).join('')
  return digits.startsWith('00000000000000000000ffff') ? digits.slice(24) : digits
}

/**
 * The addresses of a block such as `10.0.0.0/24`; a text says why it is none (in AWS's words).
 *
 * @see https://github.com/aws/event-ruler `CIDR`
 */
export function addressRange(cidr: string): AddressRange | string {
  const [address, mask, ...more] = cidr.split('/')
  if (mask === undefined || mask === '' || more.length > 0) return "Malformed CIDR, one '/' required"
  if (!/^[+-]?\d+$/.test(mask)) return 'Malformed CIDR, mask bits must be an integer'
  const bits = Number(mask)
  if (bits < 0) return 'Malformed CIDR, mask bits must not be negative'
  const digits = addressDigits(address!)
  if (digits === undefined) return `Nonstandard IP address: ${address}`
  const size = digits.length * 4
  if (bits >= size) return size === 32 ? 'IPv4 mask bits must be < 32' : 'IPv6 mask bits must be < 128'
  const variable = (1n << BigInt(size - bits)) - 1n
  const value = BigInt(`0x${digits}`)
  const text = (number: bigint) => number.toString(16).padStart(digits.length, '0')
  return { first: text(value & ~variable), last: text(value | variable) }
}
