import { describe, expect, it } from 'vitest'
import { declaredDefects, defectTable, differences, readGuide } from '../defects'

describe('the guide why-not-bare-kafkajs', () => {
  it('has the table as the tests of the kit prove it', async () => {
    expect(await readGuide()).toContain(defectTable(declaredDefects()))
  })

  it('differs from a measurement that is outside of its ranges, and from lines that it does not have', async () => {
    const text = await readGuide()
    const rows = declaredDefects()
    expect(differences(rows, text)).toEqual([])
    const within = rows.map((row) => ({ ...row, counts: row.counts.map(([least]) => [least, least] as const) }))
    expect(differences(within, text)).toEqual([])
    const [first, ...rest] = rows
    const worse = { ...first!, counts: first!.counts.map(([, most]) => [most, most + 1] as const) }
    expect(differences([worse, ...rest], text)).toHaveLength(worse.counts.length)
    expect(differences([{ ...first!, id: 'D0' }, ...rest], text)).toHaveLength(1)
    expect(differences(rest, text).length).toBeGreaterThan(1)
  })
})
