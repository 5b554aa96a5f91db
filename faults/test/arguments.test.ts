import { describe, expect, it } from 'vitest'
import { readArguments } from '../arguments'

describe('arguments', () => {
  it('one seed of everything on the real cluster by default', () => {
    expect(readArguments([])).toEqual({
      mode: 'faults',
      seeds: [1],
      only: [],
      target: 'real',
      json: false,
      sabotage: false,
      check: false,
    })
  })

  it('--seeds counts from 1, --seed names one, --only may be repeated', () => {
    expect(readArguments(['--seeds', '3', '--json']).seeds).toEqual([1, 2, 3])
    const asked = readArguments([
      '--seed',
      '17',
      '--only',
      'poison',
      '--only',
      'kafka-to-s3',
      '--target',
      'embedded',
      '--sabotage',
    ])
    expect(asked).toMatchObject({ seeds: [17], only: ['poison', 'kafka-to-s3'], target: 'embedded', sabotage: true })
    expect(readArguments(['--defects', '--check'])).toMatchObject({ mode: 'defects', check: true })
  })

  it.each([
    [['--seeds'], '--seeds needs a value'],
    [['--seeds', '--json'], '--seeds needs a value'],
    [['--seeds', '0'], 'from 1, not "0"'],
    [['--seed', 'x'], 'from 0, not "x"'],
    [['--only', 'flood'], 'There is no scenario "flood": one of leader-killed'],
    [['--target', 'cloud'], 'There is no target "cloud"'],
    [['--sed', '3'], 'There is no option "--sed"'],
    [['--check'], '--check goes with --defects'],
  ])('%j is refused', (args, text) => {
    expect(() => readArguments(args)).toThrow(text)
  })
})
