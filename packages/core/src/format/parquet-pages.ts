// Page headers of a column chunk, in Thrift's compact protocol:
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md

/** Values of one column in one row group, at most: a damaged count must not make the reader allocate for ever. */
const maxValues = 2 ** 27

type ThriftStruct = ReadonlyMap<number, number | ThriftStruct | undefined>

/**
 * What is wrong with the pages of a column chunk, before anything of them is unpacked; `undefined` when their sizes and counts agree with
 * the footer. The decoder believes these numbers: a wrong one would let it loop over two thousand million values, or go back to where it was.
 */
export function pageFault(
  chunk: Uint8Array,
  footer: { readonly values: number; readonly unpackedBytes: number },
): string | undefined {
  if (footer.values < 0 || footer.values > maxValues) return `a column chunk of ${footer.values} values`
  let at = 0
  let values = 0
  try {
    while (at < chunk.length - 1 && values < footer.values) {
      const [header, end] = readStruct(chunk, at)
      const packed = header.get(3)
      const unpacked = header.get(2)
      if (typeof packed !== 'number' || packed < 0 || end + packed > chunk.length)
        return `a page of ${packed} bytes in ${chunk.length - end}`
      if (typeof unpacked !== 'number' || unpacked < 0 || unpacked > footer.unpackedBytes)
        return `a page that unpacks to ${unpacked} bytes in a column chunk of ${footer.unpackedBytes}`
      const dictionary = countOf(header.get(7))
      if (dictionary !== undefined && (dictionary < 0 || dictionary > maxValues)) return `a dictionary of ${dictionary} values`
      const v2 = header.get(8)
      if (typeof v2 === 'object' && !(lengthOf(v2, 5) + lengthOf(v2, 6) <= packed)) return 'a page whose levels have no length'
      const count = countOf(header.get(5)) ?? countOf(v2)
      if (count !== undefined && (count < 0 || values + count > footer.values))
        return `a page of ${count} values in a column chunk of ${footer.values}`
      values += count ?? 0
      at = end + packed
    }
  } catch (error) {
    return `a page header that cannot be read (${(error as Error).message})`
  }
  return values === footer.values ? undefined : `${values} values in the pages of a column chunk of ${footer.values}`
}

/** `num_values` of a header of data, dictionary or data (v2). */
function countOf(header: number | ThriftStruct | undefined): number | undefined {
  const count = typeof header === 'object' ? header.get(1) : undefined
  return typeof count === 'number' ? count : undefined
}

/** Bytes of the levels of a page (v2); not a number when they are not told. */
function lengthOf(header: ThriftStruct, id: number): number {
  const length = header.get(id)
  return typeof length === 'number' && length >= 0 ? length : Number.NaN
}

/** A struct and where it ends. Texts, lists and doubles are passed over. */
function readStruct(bytes: Uint8Array, start: number, depth = 0): [ThriftStruct, number] {
  if (depth > 8) throw new Error('structs in structs')
  const fields = new Map<number, number | ThriftStruct | undefined>()
  let at = start
  let id = 0
  const byte = () => {
    const value = bytes[at++]
    if (value === undefined) throw new Error('it is cut off')
    return value
  }
  /** Of 32 bits at most; longer ones are kept apart in their size only. */
  const varint = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const next = byte()
      value += (next & 0x7f) * 2 ** shift
      if (next < 0x80) return value
      if (shift > 63) throw new Error('a number without an end')
    }
  }
  const integer = () => {
    const zigzag = varint()
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
  }
  const element = (type: number): number | ThriftStruct | undefined => {
    if (type === 1 || type === 2) return undefined
    if (type === 3) return byte()
    if (type >= 4 && type <= 6) return integer()
    if (type === 7 || type === 8) {
      at += type === 7 ? 8 : varint()
      return undefined
    }
    if (type === 9 || type === 10) {
      const head = byte()
      const size = head >> 4 === 15 ? varint() : head >> 4
      const kind = head & 15
      // The truth values of a list are a byte each, those of a field none.
      for (let i = 0; i < size; i++) element(kind <= 2 ? 3 : kind)
      return undefined
    }
    if (type === 12) {
      const [struct, end] = readStruct(bytes, at, depth + 1)
      at = end
      return struct
    }
    throw new Error(`the unknown type ${type}`)
  }
  for (;;) {
    const head = byte()
    if (head === 0) return [fields, at]
    id = head >> 4 === 0 ? integer() : id + (head >> 4)
    fields.set(id, element(head & 15))
  }
}
