import { albLog, cloudFrontLog, defineLog, encodeLog, generate, groundTruth, vpcFlowLog } from '@pipe/log-gen'
import { describe, expect, it } from 'vitest'

const range = { from: '2026-11-24T15:00:00Z', to: '2026-11-24T15:02:00Z' }
const textOf = (log: Parameters<typeof encodeLog>[0]) => Buffer.concat([...encodeLog(log, range)]).toString()

// After the pattern of the CREATE TABLE statement in Athena's guide, for entries without the identifier of the connection.
// https://docs.aws.amazon.com/athena/latest/ug/create-alb-access-logs-table.html
const albPattern =
  /^([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*):([0-9]*) ([^ ]*)[:-]([0-9]*) ([-.0-9]*) ([-.0-9]*) ([-.0-9]*) (|[-0-9]*) (-|[-0-9]*) ([-0-9]*) ([-0-9]*) "([^ ]*) (.*) (- |[^ ]*)" "([^"]*)" ([A-Z0-9-_]+) ([A-Za-z0-9.-]*) ([^ ]*) "([^"]*)" "([^"]*)" "([^"]*)" ([-.0-9]*) ([^ ]*) "([^"]*)" "([^"]*)" "([^ ]*)" "([^\s]+?)" "([^\s]+)" "([^ ]*)" "([^ ]*)"$/

describe('presets', () => {
  it('write load balancer entries that the pattern of the Athena guide reads', () => {
    const log = defineLog({ ...albLog(), seed: 1, devices: ['app/web/50dc6c495c0c9188'], every: '500 ms' })
    const lines = textOf(log).trimEnd().split('\n')
    expect(lines).toHaveLength(240)
    const rows = [...generate(log, range)]
    lines.forEach((line, i) => {
      const match = albPattern.exec(line)
      expect(match, line).not.toBeNull()
      expect(match?.[2]).toBe(rows[i]?.time)
      expect(match?.[3]).toBe('app/web/50dc6c495c0c9188')
      expect(new Date(match?.[2] as string).getTime()).toBe(rows[i]?.at.getTime())
      expect(match?.[11]).toBe(rows[i]?.elb_status_code)
    })
    expect(groundTruth(log, range).files[0]?.key).toMatch(/\.log\.gz$/)
  })

  it('write CloudFront entries below their header, one in each file', () => {
    const log = defineLog({ ...cloudFrontLog(), seed: 1, devices: ['FRA56-P4', 'DUB56-P1'], every: '1 second' })
    const lines = textOf(log).trimEnd().split('\n')
    expect(lines.filter((line) => line === '#Version: 1.0')).toHaveLength(2)
    const fields = (lines[1] as string).replace('#Fields: ', '').split(' ')
    expect(fields).toHaveLength(33)
    const entries = lines.filter((line) => !line.startsWith('#')).map((line) => line.split('\t'))
    expect(entries).toHaveLength(240)
    const rows = [...generate(log, range)]
    entries.forEach((cells, i) => {
      expect(cells).toHaveLength(33)
      expect(`${cells[0]}T${cells[1]}`).toBe(rows[i]?.at.toISOString().slice(0, 19))
      expect(cells[fields.indexOf('x-edge-location')]).toBe(rows[i]?.edge_location)
      expect(cells[fields.indexOf('sc-status')]).toMatch(/^\d{3}$/)
    })
  })

  it('write VPC flow records of version 2', () => {
    const log = defineLog({ ...vpcFlowLog(), seed: 1, devices: ['eni-0123456789abcdef0'], every: '1 second' })
    const lines = textOf(log).trimEnd().split('\n')
    expect(lines[0]).toBe(
      'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status',
    )
    const records = lines.filter((line) => !line.startsWith('version'))
    expect(records).toHaveLength(120)
    for (const record of records) {
      expect(record).toMatch(
        /^2 \d{12} eni-[0-9a-f]{17} (\d+\.){3}\d+ (\d+\.){3}\d+ \d+ \d+ (6|17) \d+ \d+ \d{10} \d{10} (ACCEPT|REJECT) OK$/,
      )
    }
  })

  it('can be spoilt where no reader takes the line for an entry', () => {
    const preset = { ...vpcFlowLog(), seed: 1, devices: ['eni-0123456789abcdef0'], every: '1 second' as const }
    const log = defineLog({ ...preset, faults: { malformed: 0.2, late: 0.05, cutGzip: { rate: 0.5 } } })
    const { malformedRows, files } = groundTruth(log, range)
    expect(malformedRows).toBeGreaterThan(5)
    const kinds = new Set(files.flatMap(({ faults }) => faults.map(({ malformed }) => malformed)))
    expect([...kinds].filter(Boolean).sort()).toEqual(['blank-line', 'not-json', 'truncated'])
    expect(() => defineLog({ ...preset, faults: { malformed: { rate: 0.1, kinds: ['bare-nan'] } } })).toThrow('is not possible')
    const layout = { ...preset.format, columns: ['nothing'] }
    expect(() => defineLog({ ...preset, format: layout })).toThrow('the layout "vpc-flow" names nothing')
  })
})
