import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'citty'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { affectsCommand } from '../../src/cli/affects-command'
import { type Arguments, bytesFrom, type Command, refuseUnknown } from '../../src/cli/arguments'
import { costCommand } from '../../src/cli/cost-command'
import { applyCommand, planCommand } from '../../src/cli/plan-command'
import { replicationCommand } from '../../src/cli/replication-command'
import { simulateCommand } from '../../src/cli/simulate-command'

const folder = mkdtempSync(join(tmpdir(), 'pipe-lifecycle-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, content: unknown): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

async function run(command: Command, ...rawArgs: string[]): Promise<{ code: number; out: string; notes: string }> {
  refuseUnknown('test', command.args, rawArgs)
  const [out, notes]: [string[], string[]] = [[], []]
  const output = { out: (text: string) => out.push(text), note: (text: string) => notes.push(text), progress: () => {} }
  const code = await command.run(parseArgs(rawArgs, command.args) as Arguments, { output, signal: new AbortController().signal })
  return { code, out: out.join('\n'), notes: notes.join('\n') }
}

const rules = file('rules.json', {
  Rules: [
    {
      ID: 'age-logs',
      Status: 'Enabled',
      Filter: { Prefix: 'log-' },
      Transitions: [{ Days: 30, StorageClass: 'STANDARD_IA' }],
      Expiration: { Days: 365 },
    },
  ],
})

describe('cost', () => {
  const demo = [
    '--to',
    'DEEP_ARCHIVE',
    '--after-days',
    '30',
    '--total-size',
    '1 TiB',
    '--object-size',
    '64 KiB',
    '--from',
    '2026-12-01',
  ]

  it('prints $283, $912, $283, $42 and the break-even table by one command', async () => {
    const { out, code } = await run(costCommand, ...demo, '--minimum-size', 'varies_by_storage_class')
    expect(code).toBe(0)
    expect(out).toMatch(/left alone +283\n/)
    expect(out).toMatch(/with the rules \(varies_by_storage_class\) +912\n/)
    expect(out).toMatch(/with the rules \(all_storage_classes_128K\) +283\n/)
    expect(out).toMatch(/compacted to 128 MiB first, then the rules +41\.88\n/)
    expect(out).toMatch(/STANDARD_IA +69\.6 KiB +333 KiB +108 KiB +82\.2 KiB +7\.8 months +1\.0 months/)
    expect(out).toMatch(/DEEP_ARCHIVE +9\.8 KiB +852 KiB +208 KiB +76\.0 KiB +20\.2 months +2\.4 months/)
    expect(out).toContain('11 of them not verified')
  })

  it('gives data for programs, a chart, and takes other prices', async () => {
    const chart = join(folder, 'chart.svg')
    const { out, notes } = await run(costCommand, ...demo, '--json', '--chart', chart)
    const found = JSON.parse(out)
    expect(Math.round(found.total)).toBe(283)
    expect(Math.round(found.otherMinimumSize.total)).toBe(912)
    expect(found.stays).toMatchObject([{ reason: 'too-small', objects: 16_777_216 }])
    expect(readFileSync(chart, 'utf8')).toContain('<svg')
    expect(notes).toContain('S STANDARD')
    const { usEast1Prices } = await import('../../src/index')
    const dear = file('prices.json', { ...usEast1Prices, currency: 'EUR', monthDays: 15 })
    expect((await run(costCommand, ...demo, '--prices', dear)).out).toContain('EUR')
    await expect(run(costCommand, ...demo, '--prices', file('bad.json', { asOf: 1 }))).rejects.toThrow(/PIPE_LIFECYCLE_INPUT/)
  })

  it('says what is missing or wrong', async () => {
    await expect(run(costCommand, '--to', 'STANDARD', '--total-size', '1', '--object-size', '1')).rejects.toThrow(
      /no class to move to/,
    )
    await expect(run(costCommand, '--to', 'GLACIER')).rejects.toThrow(/Which objects/)
    await expect(run(costCommand, '--to', 'GLACIER', '--total-size', '1 TiB')).rejects.toThrow(/belong together/)
    await expect(run(costCommand, '--total-size', '1', '--object-size', '1')).rejects.toThrow(/--rules is missing/)
    await expect(run(costCommand, '--tier', 'x')).rejects.toThrow(/no option "--tier"/)
    await expect(run(costCommand, '--to')).rejects.toThrow(/needs a value/)
    expect([bytesFrom('x', '64 KiB'), bytesFrom('x', '1TB'), bytesFrom('x', '7')]).toEqual([65_536, 1e12, 7])
    expect(() => bytesFrom('x', 'much')).toThrow(/no size/)
  })
})

describe('simulate', () => {
  it('shows what happens to one object, and the header that S3 would send', async () => {
    const { out, notes } = await run(
      simulateCommand,
      '--rules',
      rules,
      '--key',
      'log-1',
      '--written',
      '2026-01-01T10:00:00Z',
      '--size',
      '1 MiB',
    )
    expect(out).toMatch(/2026-02-01 +log-1 +1 MiB +STANDARD → STANDARD_IA +age-logs +30 days after/)
    expect(out).toMatch(/2027-01-02 +log-1 +1 MiB +delete +age-logs/)
    expect(notes).toContain('1 keys, 2 events from 2026-01-01')
    const json = await run(simulateCommand, '--rules', rules, '--key', 'log-1', '--written', '2026-01-01T10:00:00Z', '--json')
    expect(JSON.parse(json.out)).toMatchObject({
      total: 2,
      'x-amz-expiration': 'expiry-date="Sat, 02 Jan 2027 00:00:00 GMT", rule-id="age-logs"',
    })
  })

  it('takes objects of a file, and rules of a module', async () => {
    const objects = file('objects.json', [
      { key: 'log-small', sizeBytes: 500, lastModified: '2026-01-01T10:00:00Z' },
      { key: 'log-\u0007', sizeBytes: 500_000, lastModified: '2026-01-01T10:00:00Z' },
    ])
    const module = file('rules.mjs', `export const rules = ${readFileSync(rules, 'utf8')}`)
    const { out, notes } = await run(
      simulateCommand,
      '--rules',
      module,
      '--objects',
      objects,
      '--from',
      '2026-01-02',
      '--days',
      '100',
      '--chart',
      join(folder, 's.svg'),
    )
    expect(out).toContain('log-\\x07')
    expect(notes).toContain('stays: 1 × too-small (age-logs)')
    await expect(run(simulateCommand, '--rules', rules)).rejects.toThrow(/Which objects/)
    const wrong = file('wrong.json', { Rules: [{ ID: 'x', Status: 'Enabled', Filter: {}, Expiration: { Days: 0 } }] })
    await expect(run(simulateCommand, '--rules', wrong, '--key', 'a')).rejects.toThrow(
      /'Days' for Expiration action must be a positive integer/,
    )
  })
})

describe('with a bucket', () => {
  it('affects, plan and apply', async () => {
    let stored: string | undefined
    const listing = `<ListBucketResult><IsTruncated>false</IsTruncated>${['log-1', 'log-2', 'x']
      .map(
        (key) =>
          `<Contents><Key>${key}</Key><Size>500000</Size><LastModified>2024-01-01T00:00:00.000Z</LastModified><StorageClass>STANDARD</StorageClass></Contents>`,
      )
      .join('')}</ListBucketResult>`
    const server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const isLifecycle = request.url!.includes('lifecycle')
        response.setHeader('content-type', 'application/xml')
        if (isLifecycle && request.method === 'PUT') stored = Buffer.concat(parts).toString()
        if (isLifecycle && stored === undefined) {
          response.statusCode = 404
          return response.end('<Error><Code>NoSuchLifecycleConfiguration</Code></Error>')
        }
        if (request.method === 'PUT') return response.end()
        if (isLifecycle) return response.end(stored)
        return response.end(request.url!.includes('versioning') ? '<VersioningConfiguration/>' : listing)
      })
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'a')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'b')
    try {
      const affected = await run(affectsCommand, '--rules', rules, '--bucket', 'lake', '--max-delete', '1')
      expect(affected.code).toBe(1)
      expect(affected.out).toMatch(/delete +age-logs +2 +977 KiB +2025-01-0\d +log-1/)
      const planned = await run(planCommand, '--rules', rules, '--bucket', 'lake', '--check')
      expect(planned.code).toBe(2)
      expect(planned.out).toContain('+ pipe:age-logs: "log-": STANDARD_IA after 30 days, delete after 365 days')
      await expect(run(applyCommand, '--rules', rules, '--bucket', 'lake')).rejects.toThrow(/PIPE_LIFECYCLE_MAX_DELETE/)
      expect(stored).toBeUndefined()
      const kept = file('plan.json', (await run(planCommand, '--rules', rules, '--bucket', 'lake', '--json')).out)
      const applied = await run(applyCommand, '--plan', kept, '--max-delete', '2')
      expect(applied.notes).toContain('applied: 1 rules of pipe in lake')
      expect(stored).toContain('<ID>pipe:age-logs</ID>')
      expect((await run(planCommand, '--rules', rules, '--bucket', 'lake', '--check')).code).toBe(0)
    } finally {
      vi.unstubAllEnvs()
      server.close()
    }
  })
})

describe('replication', () => {
  it('prints the policies that a file needs', async () => {
    const replication = file('replication.json', {
      kind: 'replication',
      roleArn: 'arn:aws:iam::111111111111:role/r',
      rules: [
        { id: 'a', scope: { kind: 'scope', narrowedBy: 'prefix', prefix: 'a/', filter: {} }, destination: { bucket: 'copy' } },
      ],
    })
    const { out } = await run(
      replicationCommand,
      '--bucket',
      'lake',
      '--replication',
      replication,
      '--policies',
      '--region',
      'eu-central-1',
    )
    expect(JSON.parse(out).role.Statement[1].Resource).toEqual(['arn:aws:s3:::lake/a/*'])
    await expect(run(replicationCommand, '--bucket', 'lake')).rejects.toThrow(/--replication is missing/)
  })
})
