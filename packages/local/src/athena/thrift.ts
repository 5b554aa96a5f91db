/** Kinds of thrift fields that Parquet metadata needs. */
export const thrift = {
  i32: 'i32',
  i64: 'i64',
  binary: 'binary',
  struct: 'struct',
  structs: 'structs',
  i32s: 'i32s',
  binaries: 'binaries',
} as const

/** One field of a struct: id, kind, value. Ids rise. */
export type ThriftField =
  | readonly [id: number, kind: 'i32' | 'i64', value: number]
  | readonly [id: number, kind: 'binary', value: string]
  | readonly [id: number, kind: 'struct', value: readonly ThriftField[]]
  | readonly [id: number, kind: 'structs', value: readonly (readonly ThriftField[])[]]
  | readonly [id: number, kind: 'i32s', value: readonly number[]]
  | readonly [id: number, kind: 'binaries', value: readonly string[]]

/** Writes structs in thrift's compact protocol (the encoding of Parquet's page headers and footer). */
export interface ThriftWriter {
  struct(fields: readonly ThriftField[]): void
  bytes(): Buffer
}

// Type codes of the compact protocol.
const code = { i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const

export function createThriftWriter(): ThriftWriter {
  const out: number[] = []
  // BigInt: offsets pass 32 bits.
  const varint = (value: bigint) => {
    let rest = value
    while (rest >= 0x80n) {
      out.push(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    out.push(Number(rest))
  }
  const integer = (value: number) => varint(value >= 0 ? BigInt(value) * 2n : BigInt(-value) * 2n - 1n)
  const binary = (text: string) => {
    const bytes = Buffer.from(text)
    varint(BigInt(bytes.length))
    for (const byte of bytes) out.push(byte)
  }
  const list = (elementCode: number, size: number) => {
    if (size < 15) out.push((size << 4) | elementCode)
    else {
      out.push(0xf0 | elementCode)
      varint(BigInt(size))
    }
  }
  const struct = (fields: readonly ThriftField[]) => {
    let last = 0
    const header = (id: number, fieldCode: number) => {
      out.push(((id - last) << 4) | fieldCode)
      last = id
    }
    for (const [id, kind, value] of fields) {
      switch (kind) {
        case 'i32':
        case 'i64':
          header(id, code[kind])
          integer(value)
          break
        case 'binary':
          header(id, code.binary)
          binary(value)
          break
        case 'struct':
          header(id, code.struct)
          struct(value)
          break
        case 'structs':
          header(id, code.list)
          list(code.struct, value.length)
          for (const element of value) struct(element)
          break
        case 'i32s':
          header(id, code.list)
          list(code.i32, value.length)
          for (const element of value) integer(element)
          break
        case 'binaries':
          header(id, code.list)
          list(code.binary, value.length)
          for (const element of value) binary(element)
      }
    }
    out.push(0)
  }
  return { struct, bytes: () => Buffer.from(out) }
}
