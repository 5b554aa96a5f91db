import { expect, it } from 'vitest'
import { processConditions } from '../../src/lambda/process-conditions'

it.each<[string[], string, string[]]>([
  [[], '', []],
  [['--conditions=pipe-source', '--inspect'], '', ['pipe-source']],
  [['-C', 'a', '--conditions', 'b', '-C=c'], '--conditions=d --max-old-space-size=9', ['d', 'a', 'b', 'c']],
  [['--conditions=a'], '-C a', ['a']],
])('%j with NODE_OPTIONS "%s" gives %j', (execArgv, nodeOptions, expected) => {
  expect(processConditions(execArgv, nodeOptions)).toEqual(expected)
})
