import { describe, expect, it } from 'vitest'
import { chartSvg, chartText, classTimeline, defineLifecycle, lifecycleRule, wholeBucket } from '../src/index'

const from = new Date('2026-01-01T00:00:00Z')
const to = new Date('2026-01-11T00:00:00Z')
const rules = defineLifecycle([
  lifecycleRule('r', { scope: wholeBucket(), transitions: [{ afterDays: 3, to: 'GLACIER' }], expireAfterDays: 8 }),
])
const objects = [
  { count: 4, sizeBytes: 1_000_000 },
  { count: 4, sizeBytes: 1000 },
]

describe('classTimeline', () => {
  const points = classTimeline({ rules, objects, from, to, points: 11 })

  it('follows the objects from class to class', () => {
    expect(points.map(({ bytes }) => [bytes['STANDARD'] ?? 0, bytes['GLACIER'] ?? 0])).toEqual([
      ...Array(3).fill([4_004_000, 0]),
      ...Array(5).fill([4000, 4_000_000]),
      ...Array(3).fill([0, 0]),
    ])
    expect(() => classTimeline({ rules, objects, from: to, to: from })).toThrow(/must be after/)
  })

  it('as text: a line a moment, bars in proportion', () => {
    const lines = chartText(points, 10).split('\n')
    expect(lines[0]).toBe('2026-01-01  SSSSSSSSSS  3.82 MiB')
    expect(lines[4]).toBe('2026-01-05  GGGGGGGGGG  3.82 MiB')
    expect(lines[9]).toBe('2026-01-10              0 B')
    expect(lines.at(-1)).toBe('S STANDARD  G GLACIER')
  })

  it('as SVG: an area a class within the picture', () => {
    const svg = chartSvg(points)
    expect(svg.match(/<polygon/g)).toHaveLength(2)
    expect(svg).toContain('<title>GLACIER</title>')
    const numbers = [...svg.matchAll(/points="([^"]+)"/g)].flatMap(([, list]) => list!.split(/[ ,]/).map(Number))
    expect(numbers.every((value) => value >= 0 && value <= 800)).toBe(true)
    expect(chartSvg([{ at: from, bytes: { '<x>': 1 } }])).toContain('&lt;x>')
  })
})
