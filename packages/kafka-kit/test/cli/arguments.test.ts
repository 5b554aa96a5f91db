import { describe, expect, test } from 'vitest'
import { connectFrom, listFrom, refuseUnknown } from '../../src/cli/arguments'
import { redriveCommand } from '../../src/cli/redrive-command'
import { parseFrom, replayArgs } from '../../src/cli/replay-command'
import { jsonText, textTable } from '../../src/cli/text-table'

describe('options', () => {
  test.each([
    [['--group', 'a', '--form', 'beginning'], /replay has no option "--form"/],
    [['--group'], /--group needs a value/],
    [['--group', '--topic'], /--group needs a value/],
    [['--apply=yes'], /--apply takes no value/],
    [['billing'], /no option "billing"/],
  ])('%j is refused', (given, message) => {
    expect(() => refuseUnknown('replay', replayArgs, given)).toThrow(message)
  })
  test('known ones pass', () => {
    refuseUnknown('replay', replayArgs, ['--group', 'a', '--from=offset:0=4', '--apply', '--json'])
  })
  test('a list of names', () => {
    expect(listFrom('a, b,')).toEqual(['a', 'b'])
    expect(listFrom(undefined)).toBeUndefined()
  })
})

describe('connection', () => {
  const args = { tls: false }
  test('brokers come from the option, else from the environment; without any there is an error', async () => {
    await connectFrom({ ...args, brokers: 'a:1, b:2' }, {}).close()
    await connectFrom(args, { KAFKA_BROKERS: 'a:1' }).close()
    expect(() => connectFrom(args, {})).toThrow(/KAFKA_BROKERS/)
  })
  test('half of the credentials, an unknown mechanism, and certificates that cannot be read are refused', () => {
    expect(() => connectFrom({ ...args, brokers: 'a:1' }, { KAFKA_USERNAME: 'u' })).toThrow(/both be set/)
    const env = { KAFKA_USERNAME: 'u', KAFKA_PASSWORD: 'p', KAFKA_MECHANISM: 'kerberos' }
    expect(() => connectFrom({ ...args, brokers: 'a:1' }, env)).toThrow(/"kerberos" is not known/)
    expect(() => connectFrom({ ...args, brokers: 'a:1', ca: '/nowhere.pem' }, {})).toThrow(/nowhere\.pem cannot be read/)
    const iam = { ...args, brokers: 'a:1', 'msk-iam': 'eu-central-1' }
    expect(() => connectFrom(iam, { KAFKA_USERNAME: 'u' })).toThrow(/exclude each other/)
    expect(() => connectFrom({ ...iam, 'msk-iam': 'here' }, {})).toThrow(/"here" is no region/)
  })
})

test('redrive needs its topic', async () => {
  const kafka = connectFrom({ tls: false, brokers: 'a:1' }, {})
  const silent = { out: () => undefined, note: () => undefined, progress: () => undefined }
  await expect(redriveCommand(kafka, { json: false, apply: false }, silent)).rejects.toThrow(/needs --from/)
  await kafka.close()
})

describe('where a replay begins', () => {
  test.each([
    ['beginning', 'beginning'],
    ['offset:42', { offset: 42n }],
    ['offset:0=42,1=9007199254740993', { offset: { 0: 42n, 1: 9007199254740993n } }],
    ['2026-11-24T00:00:00Z', { timestamp: new Date('2026-11-24T00:00:00Z') }],
    ['2026-11-24T01:30+01:00', { timestamp: new Date('2026-11-24T00:30:00Z') }],
  ])('%s', (text, from) => {
    expect(parseFrom(text)).toEqual(from)
  })
  // A time without a zone would mean another moment on each machine.
  test.each(['2026-11-24', '2026-11-24T00:00:00', 'offset:', 'offset:-1', 'offset:0=', 'end', '2026-13-24T00:00:00Z'])(
    '%s is refused',
    (text) => {
      expect(() => parseFrom(text)).toThrow(/no place to begin/)
    },
  )
})

test('a table: columns, alignment, and control characters shown', () => {
  expect(
    textTable(
      ['NAME', { name: 'N', align: 'right' }],
      [
        ['a\u001b[31m', 1],
        ['b', 1234n],
      ],
    ),
  ).toBe('NAME          N\na\\x1b[31m     1\nb          1234')
})

test('JSON: offsets keep all their digits', () => {
  expect(JSON.parse(jsonText({ offset: 9007199254740993n, etaMs: Number.POSITIVE_INFINITY, none: undefined }))).toEqual({
    offset: '9007199254740993',
    etaMs: 'Infinity',
  })
})
