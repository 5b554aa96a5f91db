import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkFolder, deployedExamples } from '../check'
import { checkTables } from '../lint/tables'

const examples = join(import.meta.dirname, '..', '..', 'examples')
let copy: string

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'pipe-lint-'))
})
afterEach(() => rmSync(copy, { recursive: true, force: true }))

/** Findings in an example with one text of one of its files replaced: `FILE:LINE text`, the file by its path in the example. */
async function findingsWith(example: string, file: string, before: string, after: string): Promise<string[]> {
  const folder = plant(example, file, before, after)
  const { findings } = await checkFolder(join(folder, 'terraform'))
  return findings.map(({ place, text }) => `${place.slice(place.indexOf(`/${example}/`) + example.length + 2)} ${text}`)
}

function plant(example: string, file: string, before: string, after: string): string {
  const folder = join(copy, example)
  for (const part of ['terraform', 'policies', 'src']) {
    cpSync(join(examples, example, part), join(folder, part), { recursive: true, filter: (path) => !path.includes('.terraform') })
  }
  const text = readFileSync(join(folder, file), 'utf8')
  expect(text).toContain(before)
  writeFileSync(join(folder, file), text.replace(before, after))
  return folder
}

/** The line that a text stands on in a file of an example. */
function lineOf(example: string, file: string, text: string): number {
  return (
    readFileSync(join(examples, example, file), 'utf8')
      .split('\n')
      .findIndex((line) => line.includes(text)) + 1
  )
}

it.each(deployedExamples(join(examples, '..')))('%s is in order', async (example) => {
  expect((await checkFolder(join(examples, example, 'terraform'))).findings).toEqual([])
})

describe('a planted fault is found, with file and line', () => {
  it('rate(1 minutes)', async () => {
    const line = lineOf('log-pipeline', 'terraform/schedules.tf', 'schedule_expression')
    expect(await findingsWith('log-pipeline', 'terraform/schedules.tf', 'rate(1 minute)', 'rate(1 minutes)')).toEqual([
      expect.stringMatching(new RegExp(`^terraform/schedules\\.tf:${line} .*rate\\(1 minutes\\)`)),
    ])
  })

  it.each([
    ['an incomplete numeric', '[">=", 900]', '[">="]'],
    ['an unknown operator', 'numeric = [">=", 900]', 'above = 900'],
    ['a value that is no list', '["OrderPlaced"]\n    detail ', '"OrderPlaced"\n    detail '],
  ])('a wrong pattern: %s', async (_, before, after) => {
    const findings = await findingsWith('fan-out', 'terraform/bus.tf', before, after)
    const from = lineOf('fan-out', 'terraform/bus.tf', '"aws_cloudwatch_event_rule" "alert"')
    expect(findings).toEqual([expect.stringMatching(new RegExp(`^terraform/bus\\.tf:${from + 3} `))])
  })

  it.each([
    [
      'a time-out above a sixth of the visibility',
      'fan-out',
      'terraform/functions.tf',
      'invoice         = { timeout = 10',
      'invoice         = { timeout = 11',
      /^terraform\/queues\.tf:\d+ .*is 60, not at least six times .*: 66\.$/,
    ],
    [
      'a rule without a permission',
      'fan-out',
      'terraform/bus.tf',
      'aws_cloudwatch_event_rule.alert.arn',
      'aws_cloudwatch_event_rule.other.arn',
      /^terraform\/bus\.tf:\d+ No aws_lambda_permission .*big-order-alert/,
    ],
    [
      'a rule whose queue does not let it in',
      'fan-out',
      'terraform/queues.tf',
      'queue_url = aws_sqs_queue.work[each.key].id',
      'queue_url = aws_sqs_queue.dead.id',
      /No aws_sqs_queue_policy lets this rule send/,
    ],
    [
      'a target without a dead-letter queue',
      'log-pipeline',
      'terraform/schedules.tf',
      'dead_letter_config',
      'retry_policy',
      /no dead_letter_config/,
    ],
    [
      'an invented action',
      'fan-out',
      'policies/invoice.json',
      '"s3:GetObject"',
      '"s3:ReadObject"',
      /^policies\/invoice\.json:\d+ invoice: "s3:ReadObject" is no action/,
    ],
    [
      'a wildcard action',
      'fan-out',
      'policies/invoice.json',
      '"s3:GetObject"',
      '"s3:*"',
      /^policies\/invoice\.json:\d+ invoice: the action "s3:\*"/,
    ],
    [
      'a wildcard resource',
      'bulk-mail',
      'policies/fill-queue.json',
      'arn:aws:sqs:us-east-1:000000000000:mails',
      '*',
      /fill-queue: the resource "\*" is everything/,
    ],
    [
      'an invented action inside Terraform',
      'log-pipeline',
      'terraform/replication.tf',
      's3:ReplicateTags',
      's3:ReplicateAll',
      /^terraform\/replication\.tf:\d+ replication: "s3:ReplicateAll"/,
    ],
    [
      'a function without code',
      'bulk-mail',
      'terraform/functions.tf',
      'fill-queue =',
      'empty-queue =',
      /"empty-queue" has no handler file/,
    ],
    [
      'a variable that is missing',
      'bulk-mail',
      'terraform/functions.tf',
      'CAMPAIGN  = var.campaign',
      '',
      /"send-mails" reads CAMPAIGN/,
    ],
    [
      'a variable that nobody reads',
      'bulk-mail',
      'terraform/functions.tf',
      'CAMPAIGN  = var.campaign',
      'CAMPAIGN = "x"\n MODE = "y"',
      /"send-mails" is given MODE/,
    ],
  ] as const)('%s', async (_, example, file, before, after, wanted) => {
    expect(await findingsWith(example, file, before, after)).toContainEqual(expect.stringMatching(wanted))
  })

  it('a column that the contract does not have', async () => {
    const folder = plant('log-pipeline', 'terraform/athena.tf', 'type = "double"', 'type = "string"')
    const { configuration } = await checkFolder(join(folder, 'terraform'))
    const ddl =
      'CREATE EXTERNAL TABLE IF NOT EXISTS `lake`.`device_logs_compacted` (\n  `timestamp` timestamp,\n  `device_name` string,\n  `metric` double\n)\nPARTITIONED BY (`dt` string, `hour` string, `batch` string)\nSTORED AS PARQUET'
    expect(checkTables(configuration, [ddl]).map(({ text }) => text)).toEqual([
      'columns of "device_logs_compacted" are (timestamp timestamp, device_name string, metric string), in the code (timestamp timestamp, device_name string, metric double).',
    ])
  })

  it('a file that is no HCL', async () => {
    const folder = plant('bulk-mail', 'terraform/bucket.tf', 'resource "aws_s3_bucket" "mail" {', 'resource "aws_s3_bucket" {{')
    await expect(checkFolder(join(folder, 'terraform'))).rejects.toThrow(/bucket\.tf:1,/)
  })
})
