import { describe, expect, it } from 'vitest'
import { readArguments } from '../src/arguments'

describe('readArguments', () => {
  it('plays an hour with the Athena engine by default', () => {
    expect(readArguments([])).toMatchObject({
      engine: 'athena',
      mode: 'play',
      tick: '1 minute',
      window: '5 minutes',
      sabotage: undefined,
    })
  })

  it('plays a day with the same ticks', () => {
    const args = readArguments(['--day', '--engine', 'in-process'])
    expect(args).toMatchObject({ mode: 'day', engine: 'in-process', input: undefined, tick: '1 minute', window: '5 minutes' })
  })

  it('combines engine and replay', () => {
    const args = readArguments(['--engine', 'in-process', '--input', 'data', '--tick', '1 hour', '--window', '1 day'])
    expect(args).toMatchObject({ engine: 'in-process', mode: 'replay', tick: '1 hour', window: '1 day' })
    expect(args).toHaveProperty('input', expect.stringMatching(/^\/.*\/data$/))
  })

  it.each([
    [['--engine', 'spark'], 'PIPE_CONFIG --engine spark is not known. Use athena or in-process.'],
    [
      ['--break', 'luck'],
      'PIPE_CONFIG --break luck is not known. Use drop-one-object, lose-compacted-file, publish-twice, lose-stream-file.',
    ],
    [['--serve', '--day'], 'PIPE_CONFIG --serve and --day exclude each other.'],
    [['--serve', '--input', 'x'], 'PIPE_CONFIG --serve and --input exclude each other.'],
    [['--tick', '1 hour'], 'PIPE_CONFIG --tick and --window belong to --input DIR.'],
    [
      ['--input', 'x', '--tick', '1 hour', '--window', '5 minutes'],
      'PIPE_CONFIG --window 5 minutes is not a multiple of --tick 1 hour.',
    ],
    [['--speed', '9'], "PIPE_CONFIG Unknown option '--speed'"],
  ])('refuses %j in one sentence', (argv, message) => {
    expect(() => readArguments(argv)).toThrow(message)
  })
})
