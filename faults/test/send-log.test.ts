import { AmbiguousOutcomeError, NotWrittenError, type Written } from '@pipe/kafka-kit'
import { describe, expect, it } from 'vitest'
import { createSendLog } from '../send-log'
import { brokenPromises, type Counts } from '../verdict'

const details = { topic: 't', partition: 0, attempts: 1, lastError: undefined, firstSentAtMs: undefined }
const written = (partition: number, offset: bigint): Written => ({ partition, offset, timestamp: new Date(0) })

/** Sends one message for each outcome, named a, b, c … */
async function logOf(outcomes: readonly (Written | Error)[]) {
  const rest = [...outcomes]
  const log = createSendLog(
    {
      async send() {
        const outcome = rest.shift()!
        if (outcome instanceof Error) throw outcome
        return outcome
      },
    },
    't',
  )
  for (let i = 0; i < outcomes.length; i++) log.send({ value: String.fromCharCode(97 + i) })
  await log.settled()
  return log
}

describe('what was sent, compared with what was found', () => {
  it('an acknowledged record that is elsewhere, or nowhere, is lost', async () => {
    const log = await logOf([written(0, 0n), written(0, 1n), written(0, 2n)])
    const counts = log.counts([
      { partition: 0, offset: 0n, value: 'a' },
      { partition: 0, offset: 5n, value: 'b' },
    ])
    expect(counts).toMatchObject({ sent: 3, acknowledged: 3, stored: 2, lost: 2, duplicated: 0 })
  })

  it('a copy beyond the first is a duplicate, whatever was said of it', async () => {
    const log = await logOf([written(0, 0n), new AmbiguousOutcomeError('?', { details })])
    const twice = [0n, 1n].map((offset) => ({ partition: 0, offset, value: 'a' }))
    const thrice = [2n, 3n, 4n].map((offset) => ({ partition: 0, offset, value: Buffer.from('b') }))
    expect(log.counts([...twice, ...thrice])).toMatchObject({ acknowledged: 1, ambiguous: 1, lost: 0, duplicated: 3 })
  })

  it('what was reported as not written must not be there', async () => {
    const log = await logOf([new NotWrittenError('no', { details }), new NotWrittenError('no', { details })])
    expect(log.counts([{ partition: 0, offset: 0n, value: 'b' }])).toMatchObject({ notWritten: 2, phantoms: 1, lost: 0 })
  })

  it('offsets of a partition follow the order of sending; an unknown offset says nothing', async () => {
    const log = await logOf([written(0, 7n), written(1, 0n), written(0, -1n), written(0, 3n), written(0, 8n)])
    const found = ['a', 'c', 'd', 'e'].map((value, i) => ({ partition: 0, offset: [7n, 4n, 3n, 8n][i]!, value }))
    expect(log.counts([...found, { partition: 1, offset: 0n, value: 'b' }])).toMatchObject({ lost: 0, reordered: 1 })
  })

  it('an error that is no outcome is not swallowed', async () => {
    await expect(logOf([new TypeError('a mistake')])).rejects.toThrow('a mistake')
  })
})

describe('the verdict', () => {
  const fine: Counts = {
    sent: 9,
    acknowledged: 9,
    stored: 9,
    lost: 0,
    duplicated: 0,
    ambiguous: 0,
    notWritten: 0,
    phantoms: 0,
    reordered: 0,
    again: undefined,
  }

  it.each(['quorum', 'group', 'dead-letter', 's3'] as const)(
    '%s: nothing lost, doubled, out of order or risen from the dead',
    (guarantee) => {
      expect(brokenPromises(guarantee, { ...fine, again: 3 })).toEqual([])
      for (const wrong of ['lost', 'duplicated', 'reordered', 'phantoms'] as const) {
        expect(brokenPromises(guarantee, { ...fine, [wrong]: 1 })).toHaveLength(1)
      }
      expect(brokenPromises(guarantee, { ...fine, acknowledged: 0 })).toHaveLength(1)
    },
  )

  it('leader: losses and copies are shown only', () => {
    expect(brokenPromises('leader', { ...fine, lost: 5, duplicated: 5 })).toEqual([])
    expect(brokenPromises('leader', { ...fine, phantoms: 1 })).toHaveLength(1)
  })
})
