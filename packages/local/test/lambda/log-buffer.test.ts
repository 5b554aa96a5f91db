import { expect, it } from 'vitest'
import { createLogBuffer } from '../../src/lambda/log-buffer'

it('keeps the newest entries up to its size, and at least the last', () => {
  const buffer = createLogBuffer(10)
  for (const message of ['aaaa', 'bbbb', 'cccc']) buffer.add({ timestamp: 0, message })
  expect(buffer.entries().map(({ message }) => message)).toEqual(['bbbb', 'cccc'])
  buffer.add({ timestamp: 1, message: 'x'.repeat(50) })
  expect(buffer.entries()).toEqual([{ timestamp: 1, message: 'x'.repeat(50) }])
})
