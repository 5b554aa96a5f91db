import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openBucketIndex } from '../../src/s3/bucket-index'
import { listPage } from '../../src/s3/list-objects'
import { behindPrefix, createSortedKeys, fromUtf8Order, utf8Order } from '../../src/s3/sorted-keys'

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', '/', '\u0000', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
})

describe('the ordered form of a key', () => {
  it('sorts as the bytes of UTF-8 do, and can be undone', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const bytes = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))
        const [x, y] = [utf8Order(a), utf8Order(b)]
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(bytes)
        expect(fromUtf8Order(x)).toBe(a)
        expect(utf8Order(a).startsWith(utf8Order(b))).toBe(a.startsWith(b))
      }),
      { numRuns: 2000 },
    )
  })

  it('knows what lies behind a prefix', () => {
    fc.assert(
      fc.property(text, text, (prefix, other) => {
        const end = behindPrefix(utf8Order(prefix))
        const ordered = utf8Order(other)
        const inside = ordered >= utf8Order(prefix) && (end === undefined || ordered < end)
        expect(inside).toBe(other.startsWith(prefix))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('sorted keys', () => {
  it('agree with a plain sorted list under any adds and deletes', () => {
    const change = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 3000 }))
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 1500 }),
        fc.array(change, { maxLength: 1500, size: 'max' }),
        fc.integer({ min: 0, max: 3000 }),
        (initial, changes, from) => {
          const name = (number: number) => String(number).padStart(4, '0')
          const model = new Set(initial.map(name))
          const keys = createSortedKeys([...model])
          for (const [isAdd, number] of changes) {
            if (isAdd) {
              model.add(name(number))
              keys.add(name(number))
            } else {
              model.delete(name(number))
              keys.delete(name(number))
            }
          }
          expect(keys.size).toBe(model.size)
          const found: string[] = []
          const cursor = keys.seek(name(from))
          for (let key = cursor.key(); key !== undefined; key = cursor.key()) {
            found.push(key)
            cursor.next()
          }
          expect(found).toEqual([...model].filter((key) => key >= name(from)).sort())
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('100 000 keys', () => {
  it('are listed page by page and by common prefix', () => {
    const dir = mkdtempSync(join(tmpdir(), 'pipe-s3-many-'))
    try {
      const file = join(dir, 'many.ndjson')
      const record = { size: 1, etag: '"x"', lastModified: 1, storageClass: 'STANDARD', metadata: {}, content: {}, body: 1 }
      const index = openBucketIndex(file, () => {}, { name: 'many', createdAt: 1, location: 'us-east-1' })
      for (let at = 0; at < 100_000; at++)
        index.put({ ...record, key: `dt=${at % 100}/file-${String((at * 7919) % 100_000).padStart(6, '0')}` })
      index.close()
      const reopened = openBucketIndex(file, () => {})
      let after = ''
      const seen: string[] = []
      for (;;) {
        const page = listPage(reopened, { prefix: '', delimiter: '', after, limit: 1000 })
        seen.push(...page.objects.map(({ key }) => key))
        if (page.last === undefined) break
        after = page.last
      }
      expect(seen).toHaveLength(100_000)
      expect(seen).toEqual([...seen].sort())
      expect(listPage(reopened, { prefix: '', delimiter: '/', after: '', limit: 1000 }).prefixes).toHaveLength(100)
      reopened.close()
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})
