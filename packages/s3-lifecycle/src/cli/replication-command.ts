import { readFileSync } from 'node:fs'
import { ConfigError } from '@pipe/core'
import { defineReplication, type Replication, replicationRule } from '../replication'
import { diagnoseReplication } from '../replication-doctor'
import { applyReplication, planReplication } from '../replication-plan'
import { type PolicyDocument, replicationPolicies } from '../replication-policy'
import { type Arguments, type Command, type CommandContext, jsonArg, listFrom, loadExport, text } from './arguments'
import { jsonText, textTable } from './text-table'

/** Plans, applies, diagnoses, prints policies. */
export const replicationCommand: Command = {
  description: 'Replication: plan (default), apply, the doctor, the policies that it needs',
  args: {
    bucket: { type: 'string', valueHint: 'name', description: 'The source bucket' },
    replication: { type: 'string', valueHint: 'file', description: 'A module that exports `replication`, or its JSON' },
    owner: { type: 'string', valueHint: 'name', description: 'Whose rules these are (default: pipe)' },
    apply: { type: 'boolean', default: false, description: 'Apply the plan' },
    diagnose: { type: 'boolean', default: false, description: 'Look for what makes it fail' },
    'role-policy': { type: 'string', valueHint: 'file', description: 'With --diagnose: the permissions of the role, as JSON' },
    sample: { type: 'string', valueHint: 'key,…', description: 'With --diagnose: look at the status of these objects' },
    policies: { type: 'boolean', default: false, description: 'Print the policies that it needs' },
    region: { type: 'string', valueHint: 'name', description: 'With --policies: Region of the source' },
    'source-keys': { type: 'string', valueHint: 'arn,…', description: 'KMS keys of the source' },
    ...jsonArg,
  },
  async run(args, context) {
    const bucket = text(args, 'bucket')
    if (bucket === undefined) throw new ConfigError('--bucket is missing.')
    if (args['diagnose']) return diagnose(bucket, args, context)
    const replication = await replicationFrom(args)
    if (args['policies']) {
      const sourceRegion = text(args, 'region') ?? process.env['AWS_REGION']
      if (sourceRegion === undefined) throw new ConfigError('--region is missing.')
      const sourceKmsKeyArns = listFrom(text(args, 'source-keys'))
      context.output.out(jsonText(replicationPolicies({ replication, sourceBucket: bucket, sourceRegion, sourceKmsKeyArns })))
      return 0
    }
    const owner = text(args, 'owner')
    const plan = await planReplication({ bucket, replication, signal: context.signal, ...(owner !== undefined && { owner }) })
    const lines = [
      ...plan.changes.map(({ change, id }) => `${{ add: '+', remove: '-', change: '~' }[change]} ${id}`),
      `= ${plan.foreign.length} rules of others unchanged`,
      ...plan.refused.map((reason) => `refused: ${reason}`),
      ...plan.notes,
    ]
    context.output.out(args['json'] ? jsonText(plan) : lines.join('\n'))
    if (plan.refused.length > 0) return 1
    if (args['apply']) context.output.note((await applyReplication(plan, { signal: context.signal })).outcome)
    return 0
  },
}

async function replicationFrom(args: Arguments): Promise<Replication> {
  const file = text(args, 'replication')
  if (file === undefined) throw new ConfigError('--replication is missing.')
  const { roleArn, rules } = (await loadExport(file, 'replication')) as Replication
  // A JSON file passed no type check.
  return defineReplication({ roleArn, rules: rules.map(({ id, ...options }) => replicationRule(id, options as never)) })
}

async function diagnose(bucket: string, args: Arguments, { output, signal }: CommandContext): Promise<number> {
  const file = text(args, 'role-policy')
  const diagnosis = await diagnoseReplication({
    bucket,
    signal,
    sampleKeys: listFrom(text(args, 'sample')),
    sourceKmsKeyArns: listFrom(text(args, 'source-keys')),
    ...(file !== undefined && { rolePolicy: JSON.parse(readFileSync(file, 'utf8')) as PolicyDocument }),
  })
  if (args['json']) output.out(jsonText(diagnosis))
  else if (diagnosis.findings.length === 0) output.out('nothing found')
  else
    output.out(
      textTable(
        ['', 'WHAT', 'FINDING', 'FIX'],
        diagnosis.findings.map((one) => [one.severity, one.what, one.text, one.fix]),
      ),
    )
  return diagnosis.findings.some(({ severity }) => severity === 'broken') ? 1 : 0
}
