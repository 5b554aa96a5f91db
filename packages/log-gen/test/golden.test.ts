import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { goldenDigests } from './golden-log'

// The same file is what `battery/golden-on-nodes.mjs` compares on other versions of Node.
it('writes the bytes of algorithm 1, whatever the version of Node', () => {
  const expected: unknown = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8'))
  expect(goldenDigests()).toEqual(expected)
})
